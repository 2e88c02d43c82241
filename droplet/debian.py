# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian to build on: the official image where a hub answers, else one made from packages by debootstrap."""

from __future__ import annotations

import pathlib
import re
import subprocess
import tempfile
import typing as t

from droplet import packages, state
from droplet.process import DropletError, attempt, run, say

#: Debian 13.
SUITE = "trixie"
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


def names(suite: str) -> tuple[str, str]:
    """Return the images that a release of Debian can be had from: the official one, and the one made here."""
    return f"debian:{suite}-slim", f"juno-minbase:{suite}"


def obtain(suite: str = SUITE) -> str:
    """Return the name of an image with this release of Debian that is on this Engine.

    :raises DropletError: neither a hub nor debootstrap gave one.
    """
    official, made_here = names(suite)
    for name in (official, made_here):
        if attempt(["docker", "image", "inspect", name]).returncode == 0:
            return name
    if _pull(official):
        made = official
    else:
        _debootstrap(suite, made_here)
        made = made_here
    state.add("images", [made])
    return made


def _pull(name: str) -> bool:
    try:
        return attempt(["docker", "pull", "--quiet", name], timeout_seconds=90).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _debootstrap(suite: str, name: str) -> None:
    if not state.is_root():
        raise DropletError("No image hub answers, and only root can make an image by debootstrap: run this as root.")
    packages.ensure(["debootstrap", "debian-archive-keyring"])
    say(f"No image hub answers: making Debian's {suite} by debootstrap ...")
    # /var/tmp, because /tmp may be mounted without devices.
    with tempfile.TemporaryDirectory(prefix="juno-debootstrap-", dir="/var/tmp") as made:
        tree = pathlib.Path(made) / "root"
        argv = ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(tree)]
        run([*argv, *_mirror_of_host()], timeout_seconds=900, log=LOG)
        tar = pathlib.Path(made) / "root.tar"
        left_out = [f"--exclude={path}/*" for path in _LEFT_OUT]
        run(["tar", "--create", f"--file={tar}", "--numeric-owner", *left_out, "-C", str(tree), "."], log=LOG)
        run(["docker", "import", "--change", 'CMD ["bash"]', str(tar), name], timeout_seconds=300, log=LOG)


def _mirror_of_host() -> list[str]:
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    folder = pathlib.Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    sources = [(file.name, file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    found = find_mirror(release, sources)
    return [found] if found else []


def find_mirror(os_release: str, sources: t.Iterable[tuple[str, str]]) -> str | None:
    """Return the mirror that a Debian machine takes its own release from; None for debootstrap's own choice.

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
