# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of Debian and Ubuntu that the set-up needs."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import typing as t

from droplet import state
from droplet.process import DropletError, attempt, run, say

POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# Written by juno.deploy while it installs packages: their services stay down.\nexit 101\n"


def installed(name: str) -> bool:
    """Return whether a package is installed."""
    asked = attempt(["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", "--", name])
    return asked.returncode == 0 and asked.stdout.startswith("ii")


def ensure(names: t.Sequence[str], *, start_services: bool = False) -> list[str]:
    """Install those that are missing, record and give them.

    :raises DropletError: this is no Debian or Ubuntu, or not root, or apt-get fails.
    """
    if not shutil.which("apt-get"):
        raise DropletError(f"This machine has no apt-get: install {', '.join(names)} by hand, then run this again.")
    missing = [name for name in names if not installed(name)]
    if not missing:
        return []
    if not state.is_root():
        raise DropletError(f"Packages are missing: run 'apt-get install {' '.join(missing)}' as root, then this again.")
    log = state.LOGS / "apt.log"
    with state.locked("apt"), contextlib.nullcontext() if start_services else _services_stay_down():
        say(f"Installing {', '.join(missing)} ...")
        if not _install(missing, log):
            # The lists may be missing or old: only then they are worth their time.
            run(["apt-get", "update"], timeout_seconds=300, log=log)
            if not _install(missing, log):
                raise DropletError(f"apt-get could not install {', '.join(missing)}: its output is in {log}.")
    state.add("packages", missing)
    return missing


def _install(names: t.Sequence[str], log: pathlib.Path) -> bool:
    argv = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", "--", *names]
    done = attempt(argv, timeout_seconds=600, log=log, env={"DEBIAN_FRONTEND": "noninteractive"})
    return done.returncode == 0


@contextlib.contextmanager
def _services_stay_down() -> t.Iterator[None]:
    """Debian starts the service of a package on its installation: only the programs are wanted here."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(_POLICY_TEXT, encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
