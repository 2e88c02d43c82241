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
import json
import os
import shlex
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, entry_point, one_off, protect
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._django.output import cause, mask, pass_on, split_results
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, trust, worktree
from ansible_collections.juno.deploy.plugins.module_utils._in_app import (
    cache_list,
    child_processes,
    connection_room,
    connections,
    databases,
    db_sessions,
    layout,
    lock_settings,
    lossy,
    manage,
    migrate,
    migrations,
    release,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app import request as in_app_request
from ansible_collections.juno.deploy.plugins.module_utils._rules import untracked

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, OnLines, Runner

#: Where the app's own directory is in a throwaway container: the checkout has its usual place.
SECOND_PLACE = "/juno/app"
#: Each in-app module before those that import it.
IN_APP_MODULES = (
    manage,
    db_sessions,
    child_processes,
    databases,
    layout,
    lossy,
    migrations,
    lock_settings,
    migrate,
    in_app_request,
    cache_list,
    connection_room,
    release,
)
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
        yield place
    finally:
        worktree.remove(run, app.path, place.checkout)
        if os.path.exists(place.override):
            os.unlink(place.override)


def mounts(service: dict[str, t.Any], directory: str, checkout: str) -> list[dict[str, str]]:
    """Return what is mounted where in a throwaway container, and where the real thing is there and on the host."""
    found = []
    for one in service.get("volumes") or []:
        target, source = one["target"].rstrip("/"), one.get("source", "")
        bind = one.get("type") == "bind"
        if bind and compose.inside(source, directory) and os.path.exists(compose.moved(source, directory, checkout)):
            seen = compose.moved(source, directory, SECOND_PLACE)
            found.append({"target": target, "kind": "checkout", "seen": seen, "source": source})
        elif bind:
            found.append({"target": target, "kind": "live", "seen": target, "source": source})
        else:
            found.append({"target": target, "kind": "volume" if one.get("type") == "volume" else "container"})
    return found


def with_second_place(
    override: dict[str, t.Any], service: str, places: list[dict[str, str]], directory: str
) -> dict[str, t.Any]:
    """Return the override with the app's directory mounted once more, where a checkout hides it."""
    if not any(one["kind"] == "checkout" for one in places):
        return override
    entry = override["services"].get(service, {})
    second = {"type": "bind", "source": directory, "target": SECOND_PLACE}
    # Nothing in the container has to write there, and git runs there as us.
    volumes = [*entry.get("volumes", []), second, *protect.mounts({"volumes": [second]}, directory)]
    return {"services": {**override["services"], service: {**entry, "volumes": volumes}}}


def with_images(override: dict[str, t.Any], images: dict[str, str]) -> dict[str, t.Any]:
    """Return the override for a run without a build: the images named, else those that serve, with the mounted code."""
    services = {}
    for name, entry in override["services"].items():
        kept = {key: value for key, value in entry.items() if key == "volumes"}
        if name in images:
            kept["image"] = images[name]
        if kept:
            services[name] = kept
    return {"services": services}


def write_override(
    app: App, place: Sandbox, config: dict[str, t.Any], images: dict[str, str] | None
) -> list[dict[str, str]]:
    """Write the override file, for a build where there are no images, and return the mounts of the app's service."""
    service = compose.require_service(config, app.service, place.checkout)
    places = mounts(service, app.path, place.checkout)
    override = compose.make_override(config, app.path, place.checkout, place.commit)
    if images is not None:
        override = with_images(override, images)
    override = with_second_place(override, app.service, places, app.path)
    if not app.check_entrypoint:
        override = entry_point.with_environment(override, service, app.service, entry_point.environment(app))
    # Only ours: an environment may hold secrets.
    with open(os.open(place.override, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(override, file)
    return places


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
    job = {
        "check": [],
        "code": place.commit[:7],
        "manage_py": "manage.py",
        "settings": None,
        "arguments": ["check"],
        "busy_seconds": 20,
        "list_caches": False,
        "directory": "",
        **request,
        "token": token,
        "timeout_seconds": max(1, round(timeout_seconds)),
    }
    modules = [*(collectstatic.COLLECTORS if request.get("collect") else ()), *IN_APP_MODULES]
    if request.get("mode") == "connect":
        modules.insert(-1, connections)
    carried = runner.build_job(modules, job)
    limit = 2 * timeout_seconds + more_seconds + CONTAINER_SECONDS
    for python in ("python", "python3"):
        command = (python, "-c", runner.BOOT, carried)
        argv = run_argv(app, place, name, *command, environment=environment, volumes=volumes)
        # The container has a while to go when its work is told already.
        listen = functools.partial(pass_on, token=token)
        result = _bounded(run, app, argv, limit, f"{token} {release.END} ", listen)
        stdout, answer = split_results(result.stdout, token)
        shown = [*argv[: argv.index("-c")], "-c", "..."]
        if result.rc or any(isinstance(one, dict) and one.get("rc") for one in answer.values()):
            masking.learn_settings(place.checkout)
        result = dataclasses.replace(result, cmd=shown, stdout=mask(stdout), stderr=mask(result.stderr))
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


def forget_elsewhere(answer: dict[str, t.Any], mounts: list[dict[str, str]]) -> None:
    """Take from databases a place on this host that is not below what the container has mounted.

    The container says where they are, and may have put a link there: it would have us copy any file of the host.
    """
    sources = [os.path.realpath(one["source"]) for one in mounts if one.get("source")]
    for step in ("real", "migrations"):
        for one in (answer.get(step) or {}).get("databases") or []:
            place = os.path.realpath(one["host_path"]) if one.get("host_path") else ""
            if place and not any(compose.inside(place, source) for source in sources):
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
