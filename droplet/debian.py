# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian 13 to build on: the official image where a hub answers, else one made from packages by debootstrap."""

from __future__ import annotations

import pathlib
import re
import subprocess
import tempfile
import typing as t

from droplet import packages, state
from droplet.process import DropletError, attempt, run, say

SUITE = "trixie"
OFFICIAL = "debian:trixie-slim"
MADE_HERE = "juno-minbase:trixie"
LOG = state.LOGS / "base.log"

#: What a container has no use for; a third of the tree.
_LEFT_OUT = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/info",
    "./usr/share/locale",
    "./var/cache/apt",
    "./var/lib/apt/lists",
    "./var/log",
)


def obtain() -> str:
    """Give the name of an image with Debian 13 that is on this Engine.

    :raises DropletError: neither a hub nor debootstrap gave one.
    """
    for name in (OFFICIAL, MADE_HERE):
        if attempt(["docker", "image", "inspect", name]).returncode == 0:
            return name
    made = OFFICIAL if _pull() else _debootstrap()
    state.add("images", [made])
    return made


def _pull() -> bool:
    try:
        return attempt(["docker", "pull", "--quiet", OFFICIAL], timeout_seconds=90).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _debootstrap() -> str:
    if not state.is_root():
        raise DropletError("No image hub answers, and only root can make an image by debootstrap: run this as root.")
    packages.ensure(["debootstrap", "debian-archive-keyring"])
    say("No image hub answers: making Debian 13 by debootstrap ...")
    # /var/tmp, because /tmp may be mounted without devices.
    with tempfile.TemporaryDirectory(prefix="juno-debootstrap-", dir="/var/tmp") as made:
        tree = pathlib.Path(made) / "root"
        argv = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(tree)]
        run([*argv, *_mirror_of_host()], timeout_seconds=900, log=LOG)
        tar = pathlib.Path(made) / "root.tar"
        left_out = [f"--exclude={path}/*" for path in _LEFT_OUT]
        run(["tar", "--create", f"--file={tar}", "--numeric-owner", *left_out, "-C", str(tree), "."], log=LOG)
        run(["docker", "import", "--change", 'CMD ["bash"]', str(tar), MADE_HERE], timeout_seconds=300, log=LOG)
    return MADE_HERE


def _mirror_of_host() -> list[str]:
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    folder = pathlib.Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    sources = [(file.name, file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    found = find_mirror(release, sources)
    return [found] if found else []


def find_mirror(os_release: str, sources: t.Iterable[tuple[str, str]]) -> str | None:
    """Give the mirror that a Debian machine takes its own release from; None for debootstrap's own choice.

    :param sources: name and text of each of apt's source files, in the one-line or in the deb822 form.
    """
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release, flags=re.MULTILINE))
    if fields.get("ID") != "debian":
        return None
    suite = fields.get("VERSION_CODENAME", "")
    for name, text in sources:
        entries = _deb822(text) if name.endswith(".sources") else _one_line(text)
        for uri, suites in entries:
            if suite in suites and re.match(r"https?://", uri):
                return uri.rstrip("/")
    return None


def _one_line(text: str) -> t.Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", line)
        if found:
            yield found.group(1), [found.group(2)]


def _deb822(text: str) -> t.Iterator[tuple[str, list[str]]]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, flags=re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            for uri in fields.get("URIs", "").split():
                yield uri, fields.get("Suites", "").split()
