# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what of the demo site could change on this droplet, as JSON."""

import hashlib
import json
import pathlib
import subprocess
import sys

SITE = "/root/demo_site"
STATE = pathlib.Path("/var/lib/juno/demo_site")


def run(*argv: str) -> str:
    """Give what a command prints."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def workers(container: str) -> list[str]:
    """Give the ids of gunicorn's workers in a container."""
    listed = run("docker", "top", container, "-o", "pid,ppid,args").splitlines()[1:]
    rows = [line.split(None, 2) for line in listed]
    servers = {pid for pid, _parent, words in rows if "gunicorn" in words and "/bin/sh" not in words}
    return sorted(pid for pid, parent, _words in rows if pid in servers and parent in servers)


def main() -> None:
    """Look."""
    containers = run("docker", "ps", "--format", "{{.ID}} {{.Image}} {{.Names}}").splitlines()
    web = [line.split()[2] for line in containers if "-web-" in line]
    place = run("docker", "volume", "inspect", "--format", "{{.Mountpoint}}", "demo_site_static_volume").strip()
    static = pathlib.Path(place)
    looked = {
        "commit": run("git", "-C", SITE, "rev-parse", "HEAD").strip(),
        "untracked": run("git", "-C", SITE, "status", "--porcelain").splitlines(),
        "containers": sorted(containers),
        "workers": [workers(name) for name in web],
        "images": sorted(run("docker", "images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()),
        "static": sorted(str(one.relative_to(static)) for one in static.rglob("*") if one.is_file()),
        "journal": hashlib.sha256((STATE / "journal.json").read_bytes()).hexdigest(),
        # What the last prober left is nobody's; a deployer may still wait for a moment to be asked for its last result.
        "state": sorted(one.name for one in STATE.iterdir() if not one.name.startswith(("probe.", "deployer-"))),
    }
    sys.stdout.write(json.dumps(looked))


main()
