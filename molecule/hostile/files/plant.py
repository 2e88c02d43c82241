# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in the site's container: write into the checkout and the static root what somebody who means harm would."""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys

CODE, STATIC = pathlib.Path("/code"), pathlib.Path("/code/staticfiles")
#: Both the host and the container have a folder /srv; this one is the host's.
OUTSIDE = "/srv/outside"


def link(place: pathlib.Path, target: str) -> None:
    """Put a link to a place on the host, in the place of what is there."""
    if place.is_dir() and not place.is_symlink():
        place.rename(place.with_name(f"{place.name}.away"))
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def memory() -> None:
    """Forge what earlier versions of juno.deploy kept in the static root."""
    gone = ["e/outside/precious", "upload.txt"]
    earlier = [{"hash": f"x{number}", "gone": gone, "first": 1.0, "last": 2.0} for number in range(8)]
    newest = {"hash": "h", "names": ["a.css"], "first": 1.0}
    text = json.dumps({"turn": 99, "since": 1.0, "newest": newest, "earlier": earlier, "collected": {}})
    folder = STATIC / ".juno"
    folder.mkdir(exist_ok=True)
    for slot in (0, 1):
        (folder / f"memory.{slot}.json").write_text(hashlib.sha256(text.encode()).hexdigest() + "\n" + text)
    link(STATIC / "e", "/srv")
    (STATIC / "upload.txt").write_text("of a visitor")


def hooks() -> None:
    """Have git run a program whenever it does something."""
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change"):
        hook = CODE / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {OUTSIDE}/ran-hook\n")
        hook.chmod(0o755)


def monitor() -> None:
    """Have git run a program before it looks at the files, and another where it checks one out."""
    with (CODE / ".git/config").open("a") as file:
        file.write(f'[core]\n\tfsmonitor = "touch {OUTSIDE}/ran-monitor; false"\n')
        file.write(f'[filter "x"]\n\tsmudge = "touch {OUTSIDE}/ran-filter; cat"\n\tclean = cat\n')
    (CODE / ".git/info/attributes").write_text("* filter=x\n")


def folders() -> None:
    """Put links where folders and files of ours were."""
    link(STATIC / ".juno", "/srv")
    link(CODE / ".git/worktrees", OUTSIDE)


def leak() -> None:
    """Have a file of the host published, which the container has too, with other content."""
    link(CODE / "static/leak.txt", "/etc/hostname")
    link(CODE / "static/more", "/srv")


PLANTS = {"memory": memory, "hooks": hooks, "monitor": monitor, "folders": folders, "leak": leak}
for plant in sys.argv[1:]:
    PLANTS[plant]()
subprocess.run(["ls", "-la", str(STATIC)], check=True)
