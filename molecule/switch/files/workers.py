# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a droplet: the containers of a compose service, as JSON: gunicorn's master and its workers in each."""

from __future__ import annotations

import json
import subprocess
import sys


def out(*argv: str) -> str:
    """Run a program and give what it prints."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def servers(container: str) -> dict[str, object]:
    """Tell gunicorn's processes in a container."""
    lines = [line.split(None, 2) for line in out("docker", "top", container, "-eo", "pid,ppid,args").splitlines()[1:]]
    found = {pid: parent for pid, parent, argv in lines if "bin/gunicorn" in argv and not argv.startswith("/bin/sh")}
    master = next(pid for pid, parent in found.items() if parent not in found)
    return {"master": master, "workers": sorted(pid for pid, parent in found.items() if parent == master)}


def main(service: str) -> None:
    """Look at each container."""
    ids = out("docker", "ps", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.service={service}")
    print(json.dumps({container: servers(container) for container in ids.split()}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
