# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A demo site on a droplet of its own, with a repository to deploy from, whose pages all show their release."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http.client
import json
import re
import shlex
import subprocess
import sys
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from droplet import droplets, images
from droplet.process import run, wait_until
from tools import demo

ROOT = Path(__file__).resolve().parent.parent
NEW_SITE = ROOT / "molecule/shared/files/new_site.py"
#: One page of each kind, and a second job.
PAGES = (
    "/",
    "/jobs/",
    "/jobs/python-backend-developer-harbour-ledger/",
    "/jobs/site-reliability-engineer-northwind-grid/",
    "/about/",
)
PAGE_PATTERN = r'<meta name="release" content="(\d+)">'
_TEMPLATE, _PAGE_LINE = "templates/base.html", '<meta name="release" content="{}">'
_STYLE, _STYLE_LINE = "static/css/site.css", "/* release {} */"
_PACKAGES, _PACKAGES_LINE = "requirements.txt", "# release {}"
_ORIGIN = "/srv/git/demo_site.git"
_SCRIPT = "/root/shell_procedure.sh"
#: What a change of each kind is made in.
KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    "both": ((_TEMPLATE, _PAGE_LINE), (_STYLE, _STYLE_LINE)),
    "template": ((_TEMPLATE, _PAGE_LINE),),
    "static": ((_STYLE, _STYLE_LINE),),
    "docs": (("README.md", "Release {}"),),
    "packages": ((_TEMPLATE, _PAGE_LINE), (_PACKAGES, _PACKAGES_LINE)),
}


@dataclasses.dataclass
class Site:
    """One site. Its release is the number that its newest commit shows."""

    droplet: droplets.Droplet
    folder: Path
    release: int = 1
    #: The number that each file shows.
    shown: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address; not the port on loopback, which the Engine's own proxy would answer."""
        return f"http://{self.droplet.bridge_address}:{droplets.HTTP_INSIDE}"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def put(self, source: Path) -> None:
        """Make the repository from a folder with the site's sources, and clone it where it is served from."""
        run([sys.executable, NEW_SITE, source, self.work])
        places = (
            (_TEMPLATE, '<meta charset="utf-8">', _PAGE_LINE),
            (_STYLE, "", _STYLE_LINE),
            ("README.md", "", KINDS["docs"][0][1]),
            (_PACKAGES, "", _PACKAGES_LINE),
        )
        for file, after, line in places:
            self.shown[file] = 1
            path = self.work / file
            text = path.read_text(encoding="utf-8")
            if after not in text:
                raise ValueError(f"{path} has no '{after}', after which the release is to be shown.")
            path.write_text(text.replace(after, f"{after}\n{line.format(1)}\n", 1), encoding="utf-8")
        self._git("commit", "--quiet", "--all", "--message", "Release 1")
        self.inside(["git", "init", "--quiet", "--bare", "--initial-branch=main", _ORIGIN])
        self._git("config", "core.sshCommand", shlex.join(self._ssh()))
        self._git("remote", "add", "origin", f"ssh://root@{self.droplet.host}:{self.droplet.ssh_port}{_ORIGIN}")
        self._git("push", "--quiet", "--set-upstream", "origin", "main")
        self.inside(["git", "clone", "--quiet", "--branch=main", _ORIGIN, demo.CHECKOUT])
        self.write(f"{demo.CHECKOUT}/.env", demo.DOTENV)
        self.write(_SCRIPT, (ROOT / "bench/shell_procedure.sh").read_text(encoding="utf-8"))

    def push_next(self, kind: str = "both") -> int:
        """Commit and push a change of a kind; return the release that the pages will show then."""
        self.release += 1
        for file, line in KINDS[kind]:
            path = self.work / file
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(line.format(self.shown[file]), line.format(self.release)), encoding="utf-8")
            self.shown[file] = self.release
        self._git("commit", "--quiet", "--all", "--message", f"Release {self.release}")
        self._git("push", "--quiet")
        return self.shown[_TEMPLATE]

    @property
    def style(self) -> int:
        """Return the release that the style sheet is to show."""
        return self.shown[_STYLE]

    def shell_procedure(self, *, quick: bool = False) -> list[str]:
        """Return the command by which a person deploys from afar with the shell script."""
        return [*self._ssh(), *self._there(), f"sh {_SCRIPT} {demo.CHECKOUT}{' quick' if quick else ''}"]

    def inside(self, argv: t.Sequence[str]) -> str:
        """Run a command in the droplet."""
        return run([*self._ssh(), *self._there(), shlex.join(argv)], timeout_seconds=600)

    def write(self, path: str, text: str) -> None:
        """Write a file in the droplet."""
        argv = [*self._ssh(), *self._there(), shlex.join(["tee", "--", path])]
        subprocess.run(argv, input=text, text=True, stdout=subprocess.DEVNULL, check=True, timeout=60)

    def inventory(self) -> Path:
        """Write the inventory with just this site; return the file."""
        droplet = self.droplet
        host = {
            "ansible_host": droplet.host,
            "ansible_port": droplet.ssh_port,
            "ansible_user": "root",
            "ansible_private_key_file": droplet.private_key,
            "ansible_ssh_common_args": shlex.join(
                ["-o", f"UserKnownHostsFile={droplet.known_hosts}", "-o", "IdentitiesOnly=yes"]
            ),
            "ansible_python_interpreter": "/usr/bin/python3",
            "django_app_path": demo.CHECKOUT,
            # No image hub is asked: this one has HAProxy too.
            "django_app_proxy_image": images.PYTHON.name,
            "django_app_check_urls": [{"path": path} for path in PAGES],
        }
        file = self.folder / "inventory.yml"
        file.write_text(json.dumps({"django_apps": {"hosts": {droplet.name: host}}}, indent=1), encoding="utf-8")
        return file

    def serves(self, *, timeout_seconds: float = 90) -> bool:
        """Wait until all pages answer; return whether they did."""
        return wait_until(lambda: all(self._get(path) for path in PAGES), timeout_seconds=timeout_seconds)

    def warm(self) -> None:
        """Have every worker make every page: one that serves for days has compiled all templates."""
        addresses = [f"{path}?warm={self.release}-{number}" for number in range(12) for path in PAGES]
        with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
            list(pool.map(self._get, addresses))

    def style_release(self) -> int | None:
        """Return the release of the style sheet that the front page names; None where there is none."""
        link = re.search(r'<link rel="stylesheet" href="([^"]+)"', self._get("/"))
        found = re.search(r"/\* release (\d+) \*/", self._get(link.group(1))) if link else None
        return int(found.group(1)) if found else None

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(urllib.parse.urljoin(self.url, path), timeout=15) as answer:  # noqa: S310
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError, http.client.HTTPException):
            return ""

    def _ssh(self) -> list[str]:
        known = f"UserKnownHostsFile={self.droplet.known_hosts}"
        return ["ssh", "-F", "none", "-i", self.droplet.private_key, "-o", known, "-o", "IdentitiesOnly=yes"]

    def _there(self) -> list[str]:
        return ["-p", str(self.droplet.ssh_port), f"root@{self.droplet.host}"]

    def _git(self, *words: str) -> str:
        return run(["git", "-C", self.work, *words])
