# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: a droplet on this machine with a site's repository, deployed over SSH. Run again, it deploys again."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import typing as t
import urllib.error
import urllib.request

from droplet import droplets, engine, images, packages, state
from droplet.process import DropletError, attempt, run, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
KEYS = DEMO / "keys"
SITE = DEMO / "site"
#: Read by inventory/demo.yml.
FACTS = DEMO / "droplet.json"
NAME = "juno-demo"
BARE_REPOSITORY = "/srv/git/demo_site.git"
CHECKOUT = "/root/demo_site"
#: The site's images come from the one that the droplet has, so that no hub is needed.
DOTENV = f"BASE_IMAGE={images.PYTHON.name}\nMEMCACHED_IMAGE={images.PYTHON.name}\n"


def up() -> int:
    """Bring the droplet up, deploy, and return how to go on."""
    for program, package in (("git", "git"), ("ssh", "openssh-client")):
        if not shutil.which(program):
            packages.ensure([package])
    engine.up()
    images.up()
    known = _known()
    droplet = droplets.up(
        NAME,
        KEYS,
        ssh_port=port("SSH", os.environ, known.get("ssh_port") or 2201),
        http_port=port("HTTP", os.environ, known.get("http_port") or 8001),
    )
    FACTS.write_text(json.dumps(dataclasses.asdict(droplet), indent=2) + "\n", encoding="utf-8")
    _publish(droplet)
    _check_out()
    playbook = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", "inventory/demo.yml", "playbooks/deploy.yml"]
    say(f"$ {' '.join(['ansible-playbook', *playbook[1:]])}")
    deployed = subprocess.run(playbook, cwd=ROOT, check=False)
    if deployed.returncode:
        raise DropletError("The deploy failed: its last message says why.")
    address = f"http://{droplet.host}:{droplet.http_port}/"
    _see(address)
    print(_next_steps(address))
    return 0


def down() -> int:
    """Remove all that the demo made. What other things could use is named, with the command that removes it."""
    known = state.load()
    if DEMO.exists() or known.get("images") or known.get("dockerd") or known.get("docker_unit"):
        # After a reboot the Engine that was started here is gone, and what is in it is not.
        engine.up()
        droplets.down(NAME, KEYS)
        images.down()
        engine.down()
    if DEMO.exists():
        shutil.rmtree(DEMO)
    print("The demo is gone.")
    left = ["  rm -r .venv .cache"] if (ROOT / ".venv").exists() else []
    if installed := state.load().get("packages"):
        left.insert(0, f"  apt-get purge --autoremove {' '.join(installed)}")
    if left:
        print("\n".join(["Still here, for other uses of this checkout; these commands remove it:", *left]))
    return 0


def _known() -> dict[str, t.Any]:
    """Return what is known of the demo's droplet: it keeps the ports that it was made with."""
    try:
        return t.cast("dict[str, t.Any]", json.loads(FACTS.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def port(kind: str, environment: t.Mapping[str, str], default: int) -> int:
    """Return the port on this machine that a person wants, or the default.

    :raises DropletError: what they want is no port.
    """
    name = f"JUNO_DEMO_{kind}_PORT"
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise DropletError(f"{name} is '{text}', which is no port number: give one from 1 to 65535.")
    return int(text)


def _publish(droplet: droplets.Droplet) -> None:
    """Give the droplet a repository to deploy from, and the person a clone of it to work in."""
    _inside("git", "init", "--quiet", "--bare", "--initial-branch=main", BARE_REPOSITORY)
    if not (SITE / ".git").exists():
        shutil.copytree(
            ROOT / "examples" / "demo_site", SITE, ignore=shutil.ignore_patterns("__pycache__", ".env", "db.sqlite3*")
        )
        _git("init", "--quiet", "--initial-branch=main")
        _git("config", "user.name", "Demo")
        _git("config", "user.email", "demo@localhost")
        _git("config", "commit.gpgsign", "false")
        _git("remote", "add", "origin", "none")
        _git("add", "--all")
        _git("commit", "--quiet", "--message", "First edition of the demo site")
    ssh = ["ssh", "-F", "none", "-i", droplet.private_key, "-o", "IdentitiesOnly=yes"]
    ssh += ["-o", f"UserKnownHostsFile={droplet.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
    _git("config", "core.sshCommand", shlex.join(ssh))
    _git("remote", "set-url", "origin", f"ssh://root@{droplet.host}:{droplet.ssh_port}{BARE_REPOSITORY}")
    if not _git("ls-remote", "--heads", "origin", "main"):
        _git("push", "--quiet", "--set-upstream", "origin", "main")


def _check_out() -> None:
    if attempt(["docker", "exec", NAME, "test", "-e", f"{CHECKOUT}/.git"]).returncode:
        _inside("git", "clone", "--quiet", BARE_REPOSITORY, CHECKOUT)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".env") as file:
        file.write(DOTENV)
        file.flush()
        run(["docker", "cp", "--quiet", file.name, f"{NAME}:{CHECKOUT}/.env"])


def _see(address: str) -> None:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  (our own loopback address)
            answer.read()
    except (urllib.error.URLError, TimeoutError) as exc:
        raise DropletError(f"The site was deployed and does not answer at {address} ({exc}).") from exc


def _next_steps(address: str) -> str:
    inventory = "-i inventory/demo.yml"
    return f"""
The demo site answers at {address}

To try next, from this folder:
  export PATH=$PWD/.venv/bin:$PATH
  Change a page and deploy it:
    sed -i 's/Edition 1/Edition 2/' .demo/site/templates/home.html
    git -C .demo/site commit --all --message 'Second edition' && git -C .demo/site push
    ansible-playbook {inventory} playbooks/deploy.yml
    curl -s {address} | grep Edition
  See what a deploy would do, and do nothing:
    ansible-playbook {inventory} playbooks/deploy.yml --check --diff
  See what serves:
    ansible-playbook {inventory} playbooks/status.yml
  Clear the cache, and look at it:
    ansible-playbook {inventory} playbooks/clear_cache.yml
    ansible-playbook {inventory} playbooks/cache_stats.yml
  Take it all down:
    make demo-down"""


def _inside(*argv: str) -> str:
    return run(["docker", "exec", NAME, *argv])


def _git(*argv: str) -> str:
    return run(["git", "-C", str(SITE), *argv]).strip()


def main() -> int:
    """Run what is asked for; a failure is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    args = parser.parse_args()
    try:
        return up() if args.command == "up" else down()
    except DropletError as exc:
        say(f"Error: {exc}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
