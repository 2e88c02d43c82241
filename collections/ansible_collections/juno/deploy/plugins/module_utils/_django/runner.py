# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run our code in a Django app's own Python, wherever that is. Private to juno.deploy: no stable interface.

The code (modules of C(_in_app)) goes in as one argument of C(python -c): nothing is copied to the app. What it answers
comes back between the app's own output, on lines that begin with a token which only this run knows.
"""

from __future__ import annotations

import base64
import dataclasses
import inspect
import json
import os
import typing as t
import uuid
import zlib

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import (
    BadInputError,
    CommandError,
    EngineError,
    JunoError,
)
from ansible_collections.juno.deploy.plugins.module_utils._django.output import cause, exec_refusal, mask, split_results
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import NO_DJANGO, NO_SETTINGS

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

#: What AnsibleModule is told about those of C(_base.options.DJANGO) that need or exclude each other.
RULES: dict[str, t.Any] = {
    "required_together": [("project", "service")],
    "mutually_exclusive": [("virtualenv", "python")],
}
#: SIGALRM ended the in-app code: as subprocess and as a shell or the Engine tell it.
TIMED_OUT = (-14, 142)
#: Added to in-app code's own limit before it is ended from outside.
GRACE_SECONDS = 5
BOOT = (
    "import base64,json,sys,types,zlib\n"
    "job=json.loads(zlib.decompress(base64.b64decode(sys.argv[1])).decode())\n"
    "for name,text in job['modules']:\n"
    " sys.modules[name]=module=types.ModuleType(name)\n"
    " exec(compile(text,name,'exec'),module.__dict__)\n"
    "module.main(job['request'])\n"
)


class Answer(t.Protocol):
    """How a program ended: a C(CommandResult) of the host, an C(ExecResult) of a container."""

    @property
    def rc(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the app's Python runs."""

    #: In words, for messages.
    name: str
    #: Interpreters to try in turn.
    pythons: tuple[str, ...]
    in_container: bool
    #: Runs an argv list there, within so many seconds.
    execute: Callable[[list[str], float], Answer]


@dataclasses.dataclass(frozen=True)
class InAppResult:
    """How the app's Python ended, and what our code in it answered."""

    place: Place
    cmd: list[str]
    rc: int
    #: What the app itself printed.
    stdout: str
    stderr: str
    results: dict[str, t.Any]

    def require(self, message: str) -> InAppResult:
        """Return itself when it ended well.

        :raises CommandError: it failed; C({cause}) in the message stands for the error that Django gave.
        """
        if self.rc == 0:
            return self
        if self.rc in TIMED_OUT:
            reason = "it took longer than timeout_seconds and was ended"
        else:
            reason = cause(self.stderr, self.stdout)
        raise CommandError(
            message.replace("{cause}", reason), cmd=self.cmd, rc=self.rc, stdout=self.stdout, stderr=self.stderr
        )


def places(params: dict[str, t.Any]) -> list[Place]:
    """Return the places that a module's parameters name: one on the host, or each running container of the service.

    :raises JunoError: they name none, or it is not there.
    """
    if params["project"]:
        client = engine.connect(params["docker_host"])
        running = engine.find_running(client, params["project"], params["service"])
        return [in_container(client, one, params) for one in running]
    if not params["chdir"] or not (params["virtualenv"] or params["python"]):
        raise BadInputError(
            "Nothing says where the app runs: set 'project' and 'service' for a container, or 'chdir' with "
            "'virtualenv' or 'python' for an app on the host."
        )
    if not os.path.isdir(params["chdir"]):
        raise BadInputError(f"chdir {params['chdir']} is no directory on this host: name the one that holds manage.py.")
    return [_host(params)]


def pythons(params: dict[str, t.Any]) -> tuple[str, ...]:
    """Return the interpreters to try: the one that is asked for, or the usual names."""
    if params["virtualenv"]:
        return (f"{params['virtualenv'].rstrip('/')}/bin/python",)
    return (params["python"],) if params["python"] else ("python", "python3")


def in_container(client: t.Any, container: engine.Container, params: dict[str, t.Any]) -> Place:
    """Return the place that a running container is."""

    def execute(argv: list[str], seconds: float) -> Answer:
        return engine_exec.exec_argv(client, container, argv, timeout_seconds=seconds, workdir=params["chdir"])

    return Place(f"the container {container.name}", pythons(params), True, execute)


def _host(params: dict[str, t.Any]) -> Place:
    def execute(argv: list[str], seconds: float) -> Answer:
        return run_command(argv, cwd=params["chdir"], timeout_seconds=seconds)

    names = pythons(params)
    if "/" in names[0] and not os.access(os.path.join(params["chdir"], names[0]), os.X_OK):
        raise BadInputError(f"{names[0]} is no program on this host: correct 'virtualenv' or 'python'.")
    return Place(params["chdir"], names, False, execute)


def build_job(modules: Sequence[ModuleType], request: dict[str, t.Any]) -> str:
    """Return the argument that carries our code and its request; the last module's C(main) is called.

    It is packed: Linux takes no argument of more than 128 KiB.
    """
    return pack([(module.__name__, inspect.getsource(module)) for module in modules], request)


def pack(sources: Sequence[tuple[str, str]], request: dict[str, t.Any]) -> str:
    """Do so for sources by name."""
    text = json.dumps({"modules": sources, "request": request})
    return base64.b64encode(zlib.compress(text.encode(), 1)).decode()


def run_in_app(
    place: Place,
    modules: Sequence[ModuleType],
    params: dict[str, t.Any],
    *,
    timeout_seconds: float,
    arguments: Sequence[str] = ("check",),
    **request: t.Any,
) -> InAppResult:
    """Run in-app modules in the app's Python; C(arguments) are those of manage.py.

    :raises JunoError: no interpreter, no Django or no settings module is there, or the Engine refuses.
    """
    token = f"juno-{uuid.uuid4().hex}"
    request |= {
        "token": token,
        "manage_py": params["manage_py"],
        "settings": params["settings"],
        "arguments": list(arguments),
        "timeout_seconds": max(1, round(timeout_seconds)),
    }
    job = build_job(modules, request)
    for python in place.pythons:
        # The app's source is what a person knows, so messages show the command that they could type.
        cmd = [python, params["manage_py"], *arguments]
        answer = _execute(place, cmd, [python, "-c", BOOT, job], timeout_seconds + GRACE_SECONDS)
        if answer is None:
            continue
        stdout, results = split_results(answer.stdout, token)
        result = InAppResult(place, cmd, answer.rc, mask(stdout), mask(answer.stderr), results)
        _refuse_known(result, params)
        return result
    tried = " or ".join(place.pythons)
    raise BadInputError(f"There is no {tried} in {place.name}: name the app's interpreter in 'python' or 'virtualenv'.")


def _execute(place: Place, cmd: list[str], argv: list[str], seconds: float) -> Answer | None:
    """Run C(argv); None when there is no such program there."""
    try:
        answer = place.execute(argv, seconds)
    except EngineError as exc:
        if exec_refusal(exc.message) == "program":
            return None
        raise EngineError(exc.message, cmd=cmd) from exc
    except JunoError as exc:
        raise JunoError(exc.message, **{**exc.details, "cmd": cmd}) from exc
    refusal = exec_refusal(answer.stdout) if place.in_container and answer.rc in (126, 127) else ""
    if refusal == "directory":
        raise BadInputError(
            f"chdir is no directory in {place.name}: name the one that holds manage.py, or leave it out."
        )
    return None if refusal else answer


def _refuse_known(answer: InAppResult, params: dict[str, t.Any]) -> None:
    if answer.rc == NO_DJANGO and "no_django" in answer.results:
        raise BadInputError(
            f"Django can't be imported by {answer.results['no_django']['python']} in {answer.place.name} "
            f"({answer.results['no_django']['cause']}): name the app's interpreter in 'python' or 'virtualenv'.",
            cmd=answer.cmd,
        )
    if answer.rc == NO_SETTINGS and "no_settings" in answer.results:
        raise BadInputError(
            f"There is no {answer.results['no_settings']['manage_py']} in {answer.place.name}, and "
            "DJANGO_SETTINGS_MODULE is not set there: name the directory of manage.py in 'chdir', or the settings "
            "module in 'settings'.",
            cmd=answer.cmd,
        )
