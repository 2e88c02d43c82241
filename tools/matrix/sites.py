# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The droplets of the matrix, and the demo site on them, whose front page shows its edition."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
import typing as t
import urllib.request

from droplet import droplets
from droplet.process import DropletError, attempt, run
from tools import demo, steps
from tools.matrix.controllers import CACHE, Controller, seen_from

NEW_SITE = steps.ROOT / "molecule" / "shared" / "files" / "new_site.py"
WORK = CACHE / "site"
#: A sudo user, in whose home the site is. The password needs quoting wherever it is put into a command line.
USER, PASSWORD = "keeper", 'it\'s a "pass" $word'
HOME = f"/home/{USER}"
CHECKOUT, ORIGIN = f"{HOME}/demo_site", "/srv/git/demo_site.git"
STATE = "/var/lib/juno"
#: The names of containers are the machine's: another checkout may test there at the same time.
PREFIX = f"juno-matrix-{hashlib.sha1(str(steps.ROOT).encode(), usedforsecurity=False).hexdigest()[:6]}"
_EDITION = re.compile(r"Edition (\d+)")


class Host:
    """One droplet with the site."""

    def __init__(self, number: int) -> None:
        self.name = f"{PREFIX}-{number}"
        self.folder = CACHE / "keys" / str(number)
        self.droplet: droplets.Droplet | None = None
        #: What it is to show; 0 when nothing serves.
        self.edition = 0

    @property
    def reach(self) -> droplets.Droplet:
        """Return how it is reached."""
        if self.droplet is None:
            raise DropletError(f"The droplet {self.name} was not started.")
        return self.droplet

    def up(self) -> None:
        """Make it, with its user and the repository that it deploys from."""
        if self.droplet is not None:
            return
        # What a run that was killed has left is in an unknown state.
        droplets.down(self.name, self.folder)
        self.droplet = droplets.up(self.name, self.folder)
        self.inside("useradd", "--create-home", "--shell=/bin/bash", USER)
        self.write("chpasswd", f"{USER}:{PASSWORD}\n")
        self.inside("install", "-d", f"--owner={USER}", "--mode=700", f"{HOME}/.ssh")
        self.inside("install", f"--owner={USER}", "--mode=600", "/root/.ssh/authorized_keys", f"{HOME}/.ssh/")
        self.inside("git", "init", "--quiet", "--bare", "--initial-branch=main", ORIGIN)
        # Only the repository that stands for a git server is everybody's; the checkout is its owner's.
        self.inside("git", "config", "--system", "safe.directory", ORIGIN)
        # Where it is its own controller, its user needs what lies below, at the same place as here.
        self.inside("chmod", "711", "/root")
        self._put()

    def down(self) -> None:
        """Remove it."""
        droplets.down(self.name, self.folder)

    def wipe(self) -> None:
        """Set it back to where nothing was deployed, after a failure: what still runs there ends, images stay."""
        droplets.restart(self.name)
        if containers := self.inside("docker", "ps", "--all", "--quiet").split():
            self.inside("docker", "rm", "--force", "--volumes", *containers)
        self.inside("docker", "volume", "prune", "--all", "--force")
        self.inside("docker", "network", "prune", "--force")
        self.inside("rm", "-rf", STATE, CHECKOUT)
        self.edition = 0
        self._put()

    def _put(self) -> None:
        push(self)
        self.inside("git", "clone", "--quiet", "--branch=main", ORIGIN, CHECKOUT)
        self.write("tee", demo.DOTENV, f"{CHECKOUT}/.env")

    def prepare(self, owner: str, *, password: bool) -> None:
        """Give the checkout to its owner, and say whether sudo asks the user for a password."""
        self.inside("chown", "--recursive", f"{owner}:{owner}", CHECKOUT)
        asks = "ALL" if password else "NOPASSWD: ALL"
        # A password that was given is not good for the next task.
        rules = f"Defaults:{USER} timestamp_timeout=0\n{USER} ALL=(ALL:ALL) {asks}\n"
        self.write("tee", rules, f"/etc/sudoers.d/{USER}")

    def not_owned(self, owner: str) -> list[str]:
        """Return what git keeps in the checkout and that is not its owner's, some of it."""
        git = ["docker", "exec", "--user", owner, "--workdir", CHECKOUT, self.name, "git"]
        files = run([*git, "ls-files", "-z"]).strip("\0").split("\0")
        where = ["docker", "exec", "--workdir", CHECKOUT, self.name]
        found = run([*where, "find", ".git", *files, "!", "-user", owner]).splitlines()
        if not found:
            # And so they can go on to work there.
            run([*git, "fetch", "--quiet"])
        return found[:3]

    def take(self, controller: Controller) -> None:
        """Make the droplet its own controller."""
        with subprocess.Popen(["tar", "-cf", "-", *seen_from(controller)], stdout=subprocess.PIPE) as sent:
            into = ["docker", "exec", "--interactive", self.name, "tar", "-xf", "-", "-C", "/"]
            got = subprocess.run(into, stdin=sent.stdout, capture_output=True, text=True, check=False, timeout=300)
        if sent.returncode or got.returncode:
            raise DropletError(f"The controller could not be copied into {self.name}: {got.stderr.strip()}")

    def traces(self) -> str:
        """Return what a run that is refused must not change: state (locks and journals), checkout, containers."""
        state = attempt(["docker", "exec", self.name, "find", STATE, "-type", "f", "-exec", "sha256sum", "{}", "+"])
        git = self.inside("git", "-c", "safe.directory=*", "-C", CHECKOUT, "rev-parse", "HEAD")
        return "\n".join([*sorted(state.stdout.splitlines()), git, self.containers()])

    def containers(self) -> str:
        """Return the containers that run."""
        return self.inside("docker", "ps", "--quiet", "--no-trunc")

    def journal(self) -> str:
        """Return a digest of what is written down of releases."""
        return self.inside("find", STATE, "-name", "journal*", "-type", "f", "-exec", "sha256sum", "{}", "+")

    def shows(self) -> int:
        """Return the edition that visitors see, the second time through the page cache; 0 for none."""
        address = f"http://{self.reach.host}:{self.reach.http_port}/"
        texts = []
        for _time in range(2):
            try:
                with urllib.request.urlopen(address, timeout=30) as answer:
                    texts.append(answer.read().decode())
            except OSError:
                return 0
        found = {int(number) for text in texts for number in _EDITION.findall(text)}
        return found.pop() if len(found) == 1 else 0

    def inside(self, *argv: str) -> str:
        """Run a command in it, as root."""
        return run(["docker", "exec", self.name, *argv], timeout_seconds=300)

    def write(self, program: str, text: str, *argv: str) -> None:
        """Give a program in it a text to read."""
        command = ["docker", "exec", "--interactive", self.name, program, *argv]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise DropletError(f"'{program}' in {self.name} ended with code {done.returncode}: {done.stderr.strip()}")


def begin() -> None:
    """Make the repository in which the next editions are written."""
    run([sys.executable, NEW_SITE, steps.ROOT / "examples" / "demo_site", WORK])


def next_edition(hosts: t.Iterable[Host]) -> int:
    """Commit the next edition of the front page, push it to the hosts, and return its number."""
    page = WORK / "templates" / "home.html"
    text = page.read_text(encoding="utf-8")
    number = written()
    page.write_text(text.replace(f"Edition {number}", f"Edition {number + 1}"), encoding="utf-8")
    run(["git", "-C", WORK, "commit", "--quiet", "--all", "--message", f"Edition {number + 1}"])
    for host in hosts:
        push(host)
    return number + 1


def written() -> int:
    """Return the edition that was committed last."""
    (number,) = set(_EDITION.findall((WORK / "templates" / "home.html").read_text(encoding="utf-8")))
    return int(number)


def push(host: Host) -> None:
    """Push what was committed to the host's repository."""
    there = host.reach
    ssh = ["ssh", "-F", "none", "-i", there.private_key, "-o", f"UserKnownHostsFile={there.known_hosts}"]
    ssh += ["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"]
    address = f"ssh://root@{there.host}:{there.ssh_port}{ORIGIN}"
    run(["git", "-C", WORK, "-c", f"core.sshCommand={shlex.join(ssh)}", "push", "--quiet", address, "main"])
