# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a release's code whether it is right, before it serves, and judge its answer. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic
from ansible_collections.juno.deploy.plugins.module_utils._django.output import cause, mask
from ansible_collections.juno.deploy.plugins.module_utils._in_app import lock_settings, manage, migration_list
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build.build_spec import BuildSpec

#: A database that is a file is copied, to try migrations on, up to this size.
COPY_LIMIT_BYTES = 1024 * 1024 * 1024
#: How long a database may stay locked before its copy fails.
COPY_SECONDS = 30
#: How the message of each failure of the in-app code begins.
_FAILURES = {
    "start": "The code of {commit} can't start ({cause})",
    "caches": "The cache '{what}' of {commit} could not be cleared after the switch ({cause})",
    "history": "The migrations of {commit} don't fit the database ({cause})",
    "migration": "The migration {what} of {commit} fails on a copy of the database ({cause})",
    "request": "The code of {commit} answers {what} ({cause})",
    "collect": "The static files of {commit} can't be collected into {what} ({cause})",
}
_UNTOUCHED = "; nothing that serves was touched: correct the commit and deploy again."
#: The in-app code found no Django, no manage.py or no settings: then the check command alone decides.
_NOT_LOOKED = (manage.NO_DJANGO, manage.NO_SETTINGS, lock_settings.NOT_LOOKED)


def check(
    run: Runner,
    app: App,
    spec: BuildSpec,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    collecting: t.Callable[[bool], None],
) -> dict[str, t.Any]:
    """Ask the release's code in a throwaway container all that can be asked before it serves.

    :param collecting: is told before static files may be collected, and when it is known that none were.
    :raises CommandError: it is not right.
    """
    if spec.collect:
        collecting(True)
    events.tell(f"starts a container of {spec.commit[:7]} that nobody visits")
    answer = _ask(run, app, spec, place, mounts)
    if answer.results:
        try:
            return judge(spec, answer.results, answer.result)
        except CommandError:
            # In a bucket, what was put over other files stays.
            if spec.collect and "touched" not in answer.results:
                collecting(False)
            raise
    done = dataclasses.replace(answer.result, rc=0)
    if spec.check_command:
        events.tell(f"asks {spec.commit[:7]}: {' '.join(spec.check_command)}")
        done = throwaway.run_plain(run, app, place, spec.check_command, spec.check_timeout_seconds)
    found = {"check": {"rc": done.rc, "stdout": done.stdout, "stderr": done.stderr}, "looked": {"rc": _NOT_LOOKED[0]}}
    return judge(spec, {**found, "not_looked": {"cause": f"the image of '{app.service}' has no Python"}}, done)


def _ask(
    run: Runner, app: App, spec: BuildSpec, place: throwaway.Sandbox, mounts: list[dict[str, str]]
) -> throwaway.SandboxResult:
    """Ask all of it in one run of the container."""
    return throwaway.ask(
        run,
        app,
        place,
        timeout_seconds=spec.check_timeout_seconds,
        more_seconds=spec.build_timeout_seconds if spec.collect else 0,
        mode="check",
        check=list(spec.check_command),
        manage_py=throwaway.manage_py(spec.check_command),
        mounts=mounts,
        directory=app.path,
        readiness_path=spec.readiness_path if spec.check_command else "",
        headers=spec.headers,
        more_headers=spec.more_headers,
        pages=list(spec.pages),
        collect=spec.collect,
        collect_seconds=round(spec.build_timeout_seconds),
        copy_limit_bytes=COPY_LIMIT_BYTES,
        copy_seconds=COPY_SECONDS,
        environment=spec.cache_version.environment,
        list_caches=bool(spec.cache_version.value),
        clears=None if spec.clears is None else list(spec.clears),
        cache_version=str(spec.cache_version.value or ""),
    )


def judge(spec: BuildSpec, answer: dict[str, t.Any], result: CommandResult) -> dict[str, t.Any]:
    """Return the answer of the in-app code as the module's result.

    :raises CommandError: something of it is not right; the message says what.
    """
    checked, looked = answer["check"], answer["looked"]["rc"]
    if checked["rc"]:
        words = " ".join(spec.check_command)
        late = checked["rc"] == throwaway.ALARM
        why = throwaway.TOO_LONG if late else mask(cause(checked["stderr"], checked["stdout"]))
        raise CommandError(
            f"The code of {spec.commit[:12]} can't start: '{words}' failed ({why})" + _UNTOUCHED,
            cmd=list(spec.check_command),
            **{**checked, "stdout": mask(checked["stdout"]), "stderr": mask(checked["stderr"])},
        )
    if looked not in (0, *_NOT_LOOKED):
        _fail(spec, answer, looked, result)
    if answer.get("collected", {}).get("rc"):
        _fail(spec, answer, answer["collected"]["rc"], result)
    lines = [line for line in (checked["stdout"] or checked["stderr"]).splitlines() if line.strip()]
    missing = answer.get("not_looked", {}).get("cause", "") or ("its settings were not found" if looked else "")
    return {
        **nothing_known(missing),
        **_seen(spec, answer),
        "cache_version": cache_versions.judge(spec.cache_version, answer.get("caches")).as_dict(),
        "layout": answer.get("layout") or {},
        "connections": answer.get("connections") or {},
        "checked": mask(lines[-1].strip()) if lines else "",
    }


def _seen(spec: BuildSpec, answer: dict[str, t.Any]) -> dict[str, t.Any]:
    static = answer.get("static", {})
    # Thousands of names, which nobody reads.
    known: dict[str, t.Any] = {"static": {name: value for name, value in static.items() if name != "entries"}}
    if "entries" in static and static.get("has_manifest", True):
        known["static"]["replaced_names"] = collectstatic.replaced(static["entries"])
    if "migrations" not in answer:
        return known
    migrations = answer["migrations"]
    default: dict[str, t.Any] = next(
        (one for one in migrations["databases"] if one["alias"] == migration_list.ALIAS), {}
    )
    requested = answer.get("requested") or {"path": spec.readiness_path, "status": 0, "why": "no page is asked for"}
    unlooked = [f"The migrations were not tried: {migrations['why']}."] if migrations["why"] else []
    if spec.readiness_path and not requested["status"]:
        unlooked.append(f"No page was asked for before the switch: {requested['why']}.")
    return {
        **known,
        "migrations": {"unanswered": False, **migrations, "database": default},
        "requested": requested,
        "unlooked": [mask(line) for line in unlooked],
    }


def nothing_known(why: str) -> dict[str, t.Any]:
    """Return the result of a release whose code was not asked; C(why) says why, where that is to be told."""
    return {
        "checked": "",
        "migrations": {
            "pending": [],
            "applied": [],
            "tried": False,
            "unanswered": False,
            "database": {},
            "databases": [],
            "why": why,
        },
        "requested": {"path": "", "status": 0, "why": why},
        "static": {},
        "layout": {},
        "cache_version": cache_versions.CacheVersion(why="the app's caches are not known").as_dict(),
        "unlooked": [f"Neither migrations nor a page were looked at: {mask(why)}."] if why else [],
    }


def _fail(spec: BuildSpec, answer: dict[str, t.Any], rc: int, result: CommandResult) -> t.NoReturn:
    step = next((name for name in reversed(_FAILURES) if f"failure:{name}" in answer), "start")
    failure = answer.get(f"failure:{step}", {})
    if step == "collect" and not failure.get("what"):
        raise result.error(
            f"The static files of {spec.commit[:12]} can't be collected, since the settings have no STATIC_ROOT "
            f"({throwaway.reason(rc, failure)}): set it, or 'collectstatic: never' where the app has none to "
            "collect; nothing that serves was touched.",
            rc,
        )
    begin = _FAILURES[step] if failure.get("what") else _FAILURES[step].replace(" {what} of", " of")
    message = begin.format(commit=spec.commit[:12], what=failure.get("what", ""), cause=throwaway.reason(rc, failure))
    raise result.error(
        message
        + (
            _UNTOUCHED
            if step != "collect"
            else "; the manifest that serves is as it was: correct the commit and deploy again."
        ),
        rc,
    )
