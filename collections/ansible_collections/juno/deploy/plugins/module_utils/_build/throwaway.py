# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a release's code in a container that is thrown away. Private to juno.deploy: no stable interface.

The container is one of the app's service, with a clean checkout of the commit in place of the bind mounts of the app's
directory, without ports and without other services. One run answers everything: to start a container costs a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shlex
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_flat, compose_mounts, one_off
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway_job
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._django.output import cause, mask, pass_on, split_results
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, trust, worktree
from ansible_collections.juno.deploy.plugins.module_utils._in_app import release
from ansible_collections.juno.deploy.plugins.module_utils._rules import untracked

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, OnLines, Runner

#: For the container to start and go, beside the time that its work may take.
CONTAINER_SECONDS = 60
#: The return code of a process that its alarm ended, and that in words.
ALARM = -14
TOO_LONG = "it took longer than allowed and was ended"


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """A clean checkout of a commit, and the override file beside it."""

    commit: str
    checkout: str

    @property
    def override(self) -> str:
        """The file that points compose to the checkout."""
        return self.checkout + ".override.json"


@dataclasses.dataclass(frozen=True)
class SandboxResult:
    """What the in-app code answered; no results when there is no Python to run it."""

    results: dict[str, t.Any]
    result: CommandResult


@contextlib.contextmanager
def opened(run: Runner, app: App, commit: str) -> Iterator[Sandbox]:
    """Make a clean checkout of a commit for a while."""
    place = Sandbox(commit, app.build_directory(commit))
    trust.apply(run, app, strict=False)
    events.tell(f"checks out {commit[:7]} into a directory of its own")
    worktree.add(run, app.path, place.checkout, commit, (app.state_root, app.state_directory, app.build_root))
    try:
        owner.remember(app)
        untracked.copy_compose_into(run, app, place.checkout)
        compose_flat.write(run, app.compose(place.checkout), place.checkout)
        yield place
    finally:
        worktree.remove(run, app.path, place.checkout)
        for path in (place.override, place.checkout + compose.FLAT):
            if os.path.exists(path):
                os.unlink(path)


def run_argv(
    app: App,
    place: Sandbox,
    name: str,
    *command: str,
    environment: dict[str, str] | None = None,
    volumes: tuple[str, ...] = (),
) -> list[str]:
    """Build the argv of a throwaway container: no ports, no other service started, and no entry point of the image.

    Those migrate, or worse, whatever they are told to run.
    """
    added = {"PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
    variables = [word for variable, value in added.items() for word in ("--env", f"{variable}={value}")]
    mounted = [word for one in volumes for word in ("--volume", one)]
    program, *arguments = command if not app.check_entrypoint else (app.check_entrypoint, *command)
    words = ["run", "--rm", "--no-deps", "--no-TTY", "--name", name, *one_off.label_words(app), *variables, *mounted]
    words += ["--entrypoint", shlex.quote(program), app.service, *arguments]
    return app.compose(place.checkout).argv(*words, checkout=place.checkout, override=place.override)


def manage_py(command: tuple[str, ...]) -> str:
    """Return the app's manage.py, as a check command names it."""
    return next((word for word in command if os.path.basename(word) == "manage.py"), "manage.py")


def ask(
    run: Runner,
    app: App,
    place: Sandbox,
    *,
    timeout_seconds: float,
    more_seconds: float = 0,
    environment: dict[str, str] | None = None,
    volumes: tuple[str, ...] = (),
    **request: t.Any,
) -> SandboxResult:
    """Run the in-app code in a throwaway container, and return its answer.

    Each child of that code has the whole time for itself, and there are two at most; C(more_seconds) are for a third.

    :param environment: is added to the service's own.
    :raises CommandError: the container doesn't start, or ended before its work; the message names the cause.
    """
    token = f"juno-{uuid.uuid4().hex}"
    name = f"{app.project}-juno-{uuid.uuid4().hex[:12]}"
    carried = throwaway_job.build(place.commit, token, timeout_seconds, request)
    limit = 2 * timeout_seconds + more_seconds + CONTAINER_SECONDS
    for python in ("python", "python3"):
        command = (python, "-c", runner.BOOT, carried)
        argv = run_argv(app, place, name, *command, environment=environment, volumes=volumes)
        # The container has a while to go when its work is told already.
        listen = functools.partial(pass_on, token=token)
        result = _bounded(run, app, argv, limit, f"{token} {release.END} ", listen)
        stdout, answer = split_results(result.stdout, token)
        result = _masked(place, dataclasses.replace(result, cmd=argv, stdout=stdout), answer)
        if release.END in answer:
            forget_elsewhere(answer, request.get("mounts") or [])
            return SandboxResult(answer, result)
        if not has_no(python, result):
            raise result.error(
                f"The code of {place.commit[:12]} could not be tried in a container of '{app.service}' "
                f"({cause(result.stderr, result.stdout)}); nothing that serves was touched: "
                "correct the cause and deploy again."
            )
    return SandboxResult({}, result)


def _masked(place: Sandbox, result: CommandResult, answer: dict[str, t.Any]) -> CommandResult:
    """Return how the container ended, without the in-app code and without secrets."""
    shown = [*result.cmd[: result.cmd.index("-c")], "-c", "..."]
    if result.rc or any(isinstance(one, dict) and one.get("rc") for one in answer.values()):
        masking.learn_settings(place.checkout)
    return dataclasses.replace(result, cmd=shown, stdout=mask(result.stdout), stderr=mask(result.stderr))


def forget_elsewhere(answer: dict[str, t.Any], mounts: list[dict[str, str]]) -> None:
    """Take from databases a place on this host that is not below what the container has mounted.

    The container says where they are, and may have put a link there: it would have us copy any file of the host.
    """
    sources = [os.path.realpath(one["source"]) for one in mounts if one.get("source")]
    for step in ("real", "migrations"):
        for one in (answer.get(step) or {}).get("databases") or []:
            place = os.path.realpath(one["host_path"]) if one.get("host_path") else ""
            if place and not any(compose_mounts.inside(place, source) for source in sources):
                one.update(host_path="", why=f"{one['host_path']} leads out of what is mounted")


def has_no(program: str, result: CommandResult) -> bool:
    """Return whether a container ended since a program isn't there: the Engine says so, or its entry point's shell."""
    return result.rc == 127 or (result.rc != 0 and f'exec: "{program}"' in result.stderr)


def run_plain(run: Runner, app: App, place: Sandbox, command: tuple[str, ...], timeout_seconds: float) -> CommandResult:
    """Run a command alone in a throwaway container: for images without Python."""
    name = f"{app.project}-juno-{uuid.uuid4().hex[:12]}"
    argv = run_argv(app, place, name, *command)
    return _bounded(run, app, argv, timeout_seconds)


def _bounded(
    run: Runner, app: App, argv: list[str], seconds: float, last: str = "", on_lines: OnLines | None = None
) -> CommandResult:
    try:
        return run(argv, cwd=app.path, timeout_seconds=seconds, last=last, on_lines=on_lines)
    except JunoError:
        # What ended is docker compose; the container goes on without it.
        one_off.remove_left(app)
        raise


def reason(rc: int, failure: dict[str, t.Any]) -> str:
    """Return why a child process of the in-app code ended badly."""
    if rc == ALARM:
        return TOO_LONG
    if rc < 0:
        return f"signal {-rc} ended it"
    return mask(str(failure.get("cause") or "it printed nothing"))
