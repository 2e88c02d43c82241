# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a release, as its deployer does them. Private to juno.deploy: no stable interface.

Each takes what the release is to be, what the steps before it have found, and what this one is told; it runs in a
process of its own (C(_release.step_process)) and gives what its module returns.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, options, ranges
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command as run
from ansible_collections.juno.deploy.plugins.module_utils._build import build as build_build
from ansible_collections.juno.deploy.plugins.module_utils._database import migrations, reverse_migrations
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_text
from ansible_collections.juno.deploy.plugins.module_utils._record import record, settle
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover, undo
from ansible_collections.juno.deploy.plugins.module_utils._release import begin, report_text, step_specs
from ansible_collections.juno.deploy.plugins.module_utils._release.release import TASKS, Release
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site

if t.TYPE_CHECKING:
    from collections.abc import Callable

    Result = dict[str, t.Any]


def look_only(release: Release, *, diff: bool) -> Result:
    """Plan, and change nothing."""
    _check(release.spec)
    with registry_logins.for_a_look(release.spec["registry_logins"]):
        return _with_words(release, begin.look_only(run, release.app, release.spec), diff=diff)


def _check(spec: dict[str, t.Any]) -> None:
    app_app.check(spec)
    ranges.require({name: value for name, value in spec.items() if name not in ("headers", "check_headers")})
    registry_logins.check(spec["registry_logins"])
    check_headers.check(spec["check_headers"])


def _begin_step(release: Release, args: dict[str, t.Any]) -> Result:
    _check(release.spec)
    registry_logins.write(release.app, release.spec["registry_logins"])
    found = begin.begin(run, release.app, release.spec, release.holder, release.package, release.ahead)
    found["taken_over"] = release.taken_over
    return _with_words(release, found, diff=bool(args.get("diff")))


def _with_words(release: Release, found: Result, *, diff: bool) -> Result:
    difference = found.pop("diff", None)
    spec = release.spec
    about = plan_text.PlanContext(release.purpose, spec["reverse_migrations"], tuple(spec["notices"]))
    words = plan_text.lines(found, about)
    return {**found, "words": words, **({"diff": difference} if diff and difference else {})}


def _build(release: Release, args: dict[str, t.Any]) -> Result:
    if release.spec["recollect"]:
        return _collect_from_scratch(release)
    done = build_build.build(run, release.app, step_specs.build(release, args))
    return {**done, "migrates": _migrates(done, release.spec)}


def _migrates(built: Result, spec: dict[str, t.Any]) -> bool:
    """Return whether the database that serves is migrated before the switch."""
    found = built.get("migrations") or {}
    pending = bool(found.get("pending") or found.get("unanswered"))
    inside = (found.get("database") or {}).get("where") == "container"
    return (pending and not inside) or spec["migrate"]["backup"] == "always"


def _collect_from_scratch(release: Release) -> Result:
    """Collect all static files from scratch, with the code that serves, and remove what nothing names."""
    params = step_specs.collect(release)
    started = collectstatic.made_elsewhere(params) if params["prune"] else None
    return collectstatic.collect(runner.places(params)[0], params, dry_run=False, with_diff=False, started=started)


def _migrate(release: Release, _args: dict[str, t.Any]) -> Result:
    return migrations.migrate(run, release.app, step_specs.migrate(release))


def _reverse(release: Release, _args: dict[str, t.Any]) -> Result:
    return reverse_migrations.reverse_later(run, release.app, step_specs.reverse(release))


def _switch_step(release: Release, _args: dict[str, t.Any]) -> Result:
    return switch.switch(run, release.app, step_specs.switch(release))


def _clear(release: Release, _args: dict[str, t.Any]) -> Result:
    """Clear what the release's own cache version does not make unreadable."""
    what, caches = release.clears(), release.spec["caches"]
    version = release.result("switch").get("caches") or {}
    covered = bool(version.get("covered"))
    if what == "none" or (covered and not version["alias"] and caches["method"] == "settings"):
        return {"changed": False}
    naming = release.replaced() if what == "naming" else []
    done = cache_clearing.clear(release.app, caches, alias=version["alias"] if covered else (), naming=naming or ())
    warnings = [text for one in done.values() for text in one.pop("warnings", [])]
    more = {"warnings": warnings} if warnings else {}
    return {"changed": any(one.get("changed") for one in done.values()), **done, **more}


def _verify_step(release: Release, _args: dict[str, t.Any]) -> Result:
    warnings: list[str] = []
    spec = step_specs.verify(release)
    done = settle.while_well(release.app, lambda: verify_site.verify(spec, warnings.append))
    return {**done, **({"warnings": warnings} if warnings else {})}


def _settle(release: Release, _args: dict[str, t.Any]) -> Result:
    settle.require_settled(release.app)
    return {"changed": False}


def _record_step(release: Release, _args: dict[str, t.Any]) -> Result:
    spec, switched, verified = release.spec, release.result("switch"), release.result("verify")
    clears = spec["caches"]["method"] != "none" and release.purpose != "restart"
    figures = {
        "build_seconds": release.result("build").get("build_seconds", 0.0),
        "outage_seconds": switched["outage_seconds"],
        "html_max_age_seconds": verified.get("html_max_age_found") or 0,
        "steps": release.seconds,
    }
    marks = {
        "switch_began": switched["began"],
        "old_gone": (switched["cleared_at"] or verified["began"]) if clears else None,
    }
    keep = record.Keep(*(spec["record"][name] for name in options.RECORD))
    done = record.record(run, release.app, figures, marks, keep=keep)
    return {**done, "report": report_text.lines(_results(release, done), _site(release))}


def _results(release: Release, recorded: Result) -> report_text.Results:
    cleared = release.result("clear")
    recollect = release.spec["recollect"]
    return report_text.Results(
        begun=release.begun,
        built={} if recollect else release.result("build"),
        migrated=release.result("reverse") or release.result("migrate"),
        collected=release.result("build") if recollect else {},
        switched=release.result("switch"),
        cleared=cleared.get("settings"),
        flushed=cleared.get("memcached"),
        verified=release.result("verify"),
        recorded=recorded,
    )


def _site(release: Release) -> report_text.Site:
    spec = release.spec
    return report_text.Site(
        site_url=spec["site_url"],
        host_name=spec["host_name"],
        host_header=step_specs.headers(release).get("Host", ""),
        cache_method=spec["caches"]["method"],
        cache_command=spec["caches"]["command"] or "",
        purpose=release.purpose,
        recollect=spec["recollect"],
        clear=release.clears(),
    )


def _undo_step(release: Release, args: dict[str, t.Any]) -> Result:
    task, reason = str(args.get("task") or ""), str(args.get("reason") or "")
    if not task and release.failures:
        # Begun without being told: the step that failed says why.
        step, failure = next(reversed(release.failures.items()))
        task, reason = TASKS.get(step, step), str(failure["msg"])
    done = undo.undo(run, release.app, undo.Cause(task, reason), release.spec["caches"])
    return {**undo.NOTHING, "changed": bool(done), **done}


def _recover(release: Release, _args: dict[str, t.Any]) -> Result:
    """Finish or undo the release without its controller."""
    return recover.recover_unattended(run, release.app, release.spec["caches"])


STEPS: dict[str, Callable[[Release, dict[str, t.Any]], Result]] = {
    "begin": _begin_step,
    "build": _build,
    "migrate": _migrate,
    "switch": _switch_step,
    "reverse": _reverse,
    "clear": _clear,
    "verify": _verify_step,
    "settle": _settle,
    "record": _record_step,
    "undo": _undo_step,
    "recover": _recover,
}
