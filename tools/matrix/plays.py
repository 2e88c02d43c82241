# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook as the variant's controller does, and judge what it printed."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import time
import typing as t

from droplet import images
from tools import steps
from tools.matrix import controllers, sites
from tools.matrix.controllers import CACHE, Controller
from tools.matrix.variants import Settings, Variant

ROOT = steps.ROOT
INVENTORY = CACHE / "inventory.json"
#: For variants that are to see neither our ansible.cfg nor that of who runs this.
NOWHERE = CACHE / "nowhere"
RUNNER = CACHE / "runner"
TIMEOUT_SECONDS = 600
#: What no output may have: an error that nobody foresaw, and what will not work for much longer.
_UNWANTED = re.compile(r"Traceback|AnsiballZ|The step [a-z]+ broke|\bERROR\b|[Uu]nexpected|[Dd]eprecat|DEPRECAT")
#: How the line begins that says why a run failed.
_REASON = re.compile(r"^(?:fatal: |\[?ERROR|.* \| (?:FAILED|UNREACHABLE)!|.*Error: )", re.MULTILINE)
#: What goes with each deprecation, and says nothing of it.
_HINT = "Deprecation warnings can be disabled"
#: ansible-runner without a terminal can only be asked from Python.
_PIPES = """
import json, sys, ansible_runner
asked = json.loads(sys.argv[1])
out, err, code = ansible_runner.run_command(runner_mode="subprocess", quiet=True, **asked)
sys.stdout.write(out); sys.stderr.write(err); sys.exit(code)
"""


class VariantError(Exception):
    """What is not as it must be: one line for the table."""


@dataclasses.dataclass(frozen=True)
class Played:
    """A run that ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Return all that it said as one line, however the callback wraps and quotes it."""
        text = f"{self.stdout} {self.stderr}".replace("''", "'").replace("\\n", " ").replace('\\"', '"')
        return re.sub(r"\s+", " ", text)

    def reason(self) -> str:
        """Return the first line that says why it failed."""
        if failed := _failed(_parsed(self.stdout)):
            return _one_line(failed)
        lines = f"{self.stderr}\n{self.stdout}"
        found = _REASON.search(lines)
        return _one_line(lines[found.start() :] if found else lines)


class Player:
    """Runs the playbooks of one variant on its hosts."""

    def __init__(self, variant: Variant, controller: Controller, hosts: list[sites.Host], log: t.TextIO) -> None:
        self.variant, self.controller, self.hosts, self.log = variant, controller, hosts, log
        self.settings = variant.settings
        #: What was printed that must not be: no reason to end before the rest was seen.
        self.complaints: list[str] = []
        self.environment = environment(variant, controller)
        NOWHERE.mkdir(parents=True, exist_ok=True)
        INVENTORY.write_text(json.dumps(inventory(self.settings, hosts), indent=2), encoding="utf-8")
        if self.settings.connection == "local":
            hosts[0].take(controller)
            hosts[0].inside("mkdir", "-p", str(NOWHERE))
            hosts[0].write("tee", INVENTORY.read_text(encoding="utf-8"), str(INVENTORY))

    def play(self, name: str, *words: str) -> Played:
        """Run a playbook, and see that it did well.

        :raises VariantError: it did not.
        """
        played = self.attempt(name, *words)
        if played.code:
            raise VariantError(f"{name}: exit code {played.code}: {played.reason()}")
        self.complaints += [f"{name}: {problem}" for problem in complaints(played, self.settings)]
        if self.settings.launcher == "runner" and (problem := _artifacts(RUNNER / "artifacts" / "matrix")):
            raise VariantError(f"{name}: ansible-runner {problem}")
        return played

    def attempt(self, name: str, *words: str) -> Played:
        """Run a playbook, and return what came of it."""
        began = time.monotonic()
        cwd = ROOT if self.settings.config == "checkout" else NOWHERE
        argv = self._launch(self._playbook(name), *words)
        try:
            done = subprocess.run(
                argv,
                check=False,
                cwd=cwd,
                env=self.environment,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=TIMEOUT_SECONDS,
                # Without a terminal to ask at.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as exc:
            raise VariantError(f"{name}: took longer than {TIMEOUT_SECONDS} s") from exc
        took = time.monotonic() - began
        self.log.write(f"\n===== {name} {' '.join(words)}: exit code {done.returncode}, {took:.1f} s\n")
        self.log.write(f"{done.stdout}\n----- stderr\n{done.stderr}\n")
        self.log.flush()
        return Played(done.returncode, done.stdout, done.stderr)

    def _playbook(self, name: str) -> str:
        if self.settings.serial:
            file = CACHE / f"serial_{name}.yml"
            file.write_text(json.dumps(_own_playbook(name)), encoding="utf-8")
            return str(file)
        return f"playbooks/{name}.yml" if self.settings.config == "checkout" else f"juno.deploy.{name}"

    def _launch(self, playbook: str, *words: str) -> list[str]:
        program = self.controller.program
        asked = [playbook, "--inventory", str(INVENTORY), *words]
        if self.settings.connection == "local":
            user = "root" if self.settings.become == "no" else sites.USER
            known = [f"{key}={value}" for key, value in self.environment.items() if _goes_along(key)]
            known += [f"HOME=/home/{user}" if user != "root" else "HOME=/root"]
            inside = ["docker", "exec", "--user", user, "--workdir", str(NOWHERE), self.hosts[0].name]
            return [*inside, "env", *known, program("ansible-playbook"), *asked]
        if self.settings.launcher == "playbook":
            return [program("ansible-playbook"), *asked]
        shutil.rmtree(RUNNER, ignore_errors=True)
        (RUNNER / "project").mkdir(parents=True)
        if self.settings.launcher == "runner":
            run = [program("ansible-runner"), "run", str(RUNNER), "--ident", "matrix", "--playbook", playbook]
            return [*run, "--inventory", str(INVENTORY), *(["--cmdline", " ".join(words)] if words else [])]
        command = {
            "executable_cmd": program("ansible-playbook"),
            "cmdline_args": asked,
            "private_data_dir": str(RUNNER),
        }
        return [program("python"), "-c", _PIPES, json.dumps(command)]


def inventory(settings: Settings, hosts: list[sites.Host]) -> dict[str, t.Any]:
    """Return the inventory."""
    user = "root" if settings.become == "no" else sites.USER
    known: dict[str, dict[str, t.Any]] = {}
    for host in hosts:
        there = host.reach
        if settings.connection == "ssh":
            options = f"-o UserKnownHostsFile={there.known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
            reached = {"ansible_host": there.host, "ansible_port": there.ssh_port, "ansible_ssh_common_args": options}
            reached |= {"ansible_private_key_file": there.private_key, "ansible_user": user}
        elif settings.connection == "docker":
            reached = {"ansible_connection": "community.docker.docker", "ansible_host": host.name, "ansible_user": user}
        else:
            # Else Ansible may take its own Python, which lacks what the droplet's packages bring.
            reached = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
        known[host.name] = reached
    become: dict[str, t.Any] = {} if settings.become == "no" else {"ansible_become": True}
    become |= {"ansible_become_password": sites.PASSWORD} if settings.become == "password" else {}
    app = {
        "django_app_path": sites.CHECKOUT,
        "django_app_proxy_image": images.PYTHON.name,
        "django_app_check_urls": [{"path": "/", "contains": ["Start Your Job Search"]}],
    }
    return {"django_apps": {"hosts": known, "vars": {**become, **app}}}


def environment(variant: Variant, controller: Controller) -> dict[str, str]:
    """Return the environment: only what the variant is about is set, the rest is as Ansible has it."""
    settings = variant.settings
    ours = {key: value for key, value in steps.environment().items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    ours |= {"HOME": str(home), "PATH": f"{controller.folder / 'bin'}:{ours['PATH']}", "ANSIBLE_NOCOLOR": "1"}
    ours["ANSIBLE_COLLECTIONS_PATH"] = controllers.collections(variant)
    ours |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")} if settings.config == "checkout" else {}
    if settings.pipelining != (settings.config == "checkout"):
        ours["ANSIBLE_PIPELINING"] = str(settings.pipelining)
    ours |= {"ANSIBLE_STRATEGY": settings.strategy} if settings.strategy != "linear" else {}
    ours |= {"ANSIBLE_FORKS": str(settings.forks)} if settings.forks != Settings().forks else {}
    if settings.callback != "default":
        names = {"minimal": "ansible.builtin.minimal", "json": "ansible.posix.json"}
        ours["ANSIBLE_STDOUT_CALLBACK"] = names[settings.callback]
    return ours


def complaints(played: Played, settings: Settings) -> list[str]:
    """Return what the output of a run that did well has and must not have."""
    found = []
    if settings.callback == "json" and settings.launcher == "playbook":
        found += [] if _parsed(played.stdout) else [f"stdout is not JSON alone: {_one_line(played.stdout)}"]
    lines = f"{played.stdout}\n{played.stderr}".splitlines()
    for number, line in enumerate(lines):
        if _HINT not in line and (unwanted := _UNWANTED.search(line)):
            # What it is about may be on the next lines.
            text = "\n".join([line[max(0, unwanted.start() - 60) :], *lines[number + 1 : number + 9]])
            found.append(f"prints '{_one_line(text)}'")
    return found


def _own_playbook(name: str) -> list[dict[str, t.Any]]:
    role = {
        "name": f"juno.deploy.django_app, {name}",
        "ansible.builtin.import_role": {"name": "juno.deploy.django_app"},
    }
    t.cast("dict[str, str]", role["ansible.builtin.import_role"])["tasks_from"] = name
    play = {"name": name, "hosts": "django_apps", "gather_facts": False, "any_errors_fatal": True, "serial": 1}
    return [{**play, "tasks": [role]}]


def _goes_along(key: str) -> bool:
    return key.startswith("ANSIBLE_") or key in ("PATH", "LC_ALL", "NO_COLOR")


def _artifacts(folder: pathlib.Path) -> str:
    """Return what is wrong with what ansible-runner kept, from which AWX makes what it shows."""
    status = (folder / "status").read_text(encoding="utf-8")
    events = [json.loads(file.read_text(encoding="utf-8")) for file in (folder / "job_events").glob("*.json")]
    ends = [one["event_data"] for one in events if one.get("event") == "playbook_on_stats"]
    if status != "successful" or len(ends) != 1 or ends[0].get("failures") or ends[0].get("dark"):
        return f"says '{status}', and {len(ends)} of its {len(events)} events tell the end"
    return ""


def _parsed(stdout: str) -> t.Any:
    try:
        return json.loads(stdout)
    except ValueError:
        return None


def _failed(value: t.Any) -> str:
    """Return the message of the first result that failed in what the callback json printed."""
    if isinstance(value, dict):
        if value.get("failed") is True or value.get("unreachable") is True:
            return str(value.get("module_stderr") or value.get("msg"))
        value = list(value.values())
    return next(filter(None, map(_failed, value)), "") if isinstance(value, list) else ""


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:300]
