# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a release, as its deployer does them. Private to juno.deploy: no stable interface.

Each takes what the release is to be, what the steps before it have found, and what this one is told; it runs in a
process of its own (C(_release.step_process)) and gives what its module returns.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command as run
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build as build_build
from ansible_collections.juno.deploy.plugins.module_utils._build import build_spec
from ansible_collections.juno.deploy.plugins.module_utils._cache import invalidation
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, migrations
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_text
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._recovery import record, undo
from ansible_collections.juno.deploy.plugins.module_utils._release import begin, report_text
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_order, context
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions, journal
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

    Result = dict[str, t.Any]

#: After these the release is over.
LAST = ("record", "undo", "tidy")
#: How a failed step is called in the journal, by its task's name in the role.
TASKS = {
    "begin": "Begin: take the deploy lock and inspect the app",
    "build": "Build: make the images and check the new code",
    "migrate": "Migrate: copy the database and apply the migrations",
    "switch": "Switch: move the traffic to the release",
    "reverse": "Reverse: take back the migrations that came later",
    "clear": "Clear: drop what the caches hold of the old release",
    "verify": "Verify: fetch the pages and judge them",
    "settle": "Settle: see that the new containers stay healthy",
    "record": "Record: note that the release serves and tidy up",
}


@dataclasses.dataclass
class Release:
    """What a release is to be, and how far it has come; of the deployer, and in each step a copy."""

    app: app_app.App
    #: The options of C(_base.options.RELEASE).
    spec: dict[str, t.Any]
    holder: state_lock.Holder
    #: The directory with the collection's code on this host.
    package: str
    controller_timeout: float = 60.0
    #: The lock's open file.
    lock: int = -1
    #: What runs a command, or knows its result already (C(_release.ahead)).
    ahead: Runner = run
    #: Its controller does nothing between the steps, so each may follow the one before without being asked for.
    at_once: bool = False
    #: Whose place this run takes, in words; nothing when nobody was there.
    taken_over: str = ""
    results: dict[str, Result] = dataclasses.field(default_factory=dict)
    failures: dict[str, Result] = dataclasses.field(default_factory=dict)
    #: What each step took, and takes usually.
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    usual: dict[str, float] = dataclasses.field(default_factory=dict)
    #: There is something to do, and an entry in the journal.
    began: bool = False

    @classmethod
    def from_input(cls, given: dict[str, t.Any], lock: int = -1) -> Release:
        """Read what C(release_begin) hands over."""
        app = app_app.unchecked(given["spec"])
        return cls(
            app=app,
            spec=given["spec"],
            holder=state_lock.Holder(**given["holder"]),
            package=given["package"],
            controller_timeout=float(given["controller_timeout_seconds"]),
            lock=lock,
            taken_over=given["taken_over"],
            at_once=given["at_once"],
            usual=usual_seconds(app),
        )

    @property
    def purpose(self) -> str:
        """What it is for: deploy, rollback or restart."""
        return str(self.spec["purpose"])

    @property
    def begun(self) -> Result:
        """What the begin has found and planned."""
        return self.results["begin"]

    def free_lock(self, *, done: bool) -> None:
        """Give the app's lock back."""
        if self.lock >= 0:
            state_lock.give_back(self.lock, done=done)
            self.lock = -1

    def result(self, step: str) -> Result:
        """Return the result of a step; nothing where it was not done."""
        return self.results.get(step) or {}

    def invalidates(self) -> invalidation.Scope:
        """Return what of the caches goes after the switch: all, naming (pages that name a replaced file), or none."""
        recollect = bool(self.spec["recollect"])
        return invalidation.scope(self.purpose, self.begun["plan"], recollect=recollect, replaced=self.replaced())

    def replaced(self) -> list[str] | None:
        """Name the static files that were replaced; nothing when that is not known."""
        built, recollect = self.result("build"), bool(self.spec["recollect"])
        return invalidation.replaced_names(built, built, recollect=recollect)


def is_interrupted(release: Release) -> bool:
    """Return whether the journal has a release that is neither done nor undone."""
    try:
        return journal.interrupted(journal.read(release.app.journal)) is not None
    except JunoError:
        return False  # nothing can be done about one that can't be read


def following(release: Release, name: str) -> str:
    """Name the step that follows one if nothing fails, as the role django_app has them; empty after the last."""
    purpose, spec = release.purpose, release.spec
    clears = purpose != "restart" or spec["recollect"]
    due = {
        "build": purpose == "deploy" or spec["recollect"],
        "migrate": purpose == "deploy" and release.result("build").get("migrates"),
        "switch": True,
        "reverse": purpose == "rollback" and spec["reverse_migrations"] and release.begun["reverse_to"],
        "clear": clears,
        "verify": True,
        "record": True,
    }
    names = list(due)
    rest = names if name == "begin" else names[names.index(name) + 1 :]
    return next((one for one in rest if due[one]), "")


def usual_seconds(app: app_app.App) -> dict[str, float]:
    """Return what each step took in the newest release that tells."""
    try:
        entries = journal.read(app.journal)
    except JunoError:
        return {}  # the first step says it
    for entry in reversed(entries):
        steps = entry.figures.get("steps")
        if entry.outcome == "done" and isinstance(steps, dict) and steps:
            # Whatever stands there: they are only shown.
            return {str(name): float(took) for name, took in steps.items() if isinstance(took, (int, float))}
    return {}


def look_only(release: Release, *, diff: bool) -> Result:
    """Plan, and change nothing."""
    app_app.check(release.spec)
    return _with_words(release, begin.look_only(run, release.app, release.spec), diff=diff)


def _begin_step(release: Release, args: dict[str, t.Any]) -> Result:
    app_app.check(release.spec)
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
    begun, spec = release.begun, release.spec
    plan, build = begun["plan"], spec["build"]
    cache_version = args.get("cache_version") or begun["cache_version"]
    done = build_build.build(
        run,
        release.app,
        build_spec.BuildSpec(
            commit=begun["git"]["target_commit"],
            build=plan["build"],
            check_command=tuple(build["check_command"]),
            build_timeout_seconds=build["build_timeout_seconds"],
            check_timeout_seconds=build["check_timeout_seconds"],
            collect=plan["collect"],
            frontend=tuple(build["frontend"]) if plan["frontend"] else (),
            translate=plan["translate"],
            probe_path=_probe_path(spec),
            headers=_headers(spec),
            # Elsewhere a new container is asked for them before it gets visitors.
            pages=tuple(spec["pages"]) if plan["strategy"] == "reload" else (),
            cache_version=cache_versions.read(cache_version),
            boot_timeout_seconds=spec["boot_timeout_seconds"],
            update_services=tuple(spec["update_services"]),
            base_url=spec["base_url"],
        ),
    )
    return {**done, "migrates": _migrates(done, spec)}


def _migrates(built: Result, spec: dict[str, t.Any]) -> bool:
    """Return whether the database that serves is migrated before the switch."""
    found = built.get("migrations") or {}
    pending = bool(found.get("pending") or found.get("unanswered"))
    inside = (found.get("database") or {}).get("where") == "container"
    return (pending and not inside) or spec["migrate"]["backup"] == "always"


def _collect_from_scratch(release: Release) -> Result:
    """Collect all static files from scratch, with the code that serves, and remove what nothing names."""
    spec, rules = release.spec, _static_rules(release.spec)
    more = {"clear": False, "staging": True, "force": True, "link": False, "ignore": []}
    params = {
        **{name: spec.get("default") for name, spec in runner.ARGUMENTS.items()},
        **more,
        **rules,
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "settings": spec["caches"]["settings"],
        "timeout_seconds": spec["build"]["build_timeout_seconds"],
    }
    started = collectstatic.made_elsewhere(params) if params["prune"] else None
    return collectstatic.collect(runner.places(params)[0], params, dry_run=False, with_diff=False, started=started)


def _static_rules(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "keep_releases": spec["record"]["keep_releases"],
        "html_max_age": spec["verify"]["html_max_age"],
        "prune": spec["switch"]["prune_static"],
    }


def _headers(spec: dict[str, t.Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in spec["headers"].items()}


def _probe_path(spec: dict[str, t.Any]) -> str:
    return str(spec["pages"][0]["path"]) if spec["pages"] else "/"


def _migrate(release: Release, _args: dict[str, t.Any]) -> Result:
    built, request = release.result("build"), release.spec["migrate"]
    spec = _migrate_spec(release.begun["git"]["target_commit"], built["images"], request)
    spec = dataclasses.replace(spec, databases=(built.get("migrations") or {}).get("databases") or [])
    return migrations.migrate(run, release.app, spec)


def _reverse(release: Release, _args: dict[str, t.Any]) -> Result:
    begun = release.begun
    spec = _migrate_spec(begun["serving"]["commit"], begun["serving_images"], release.spec["migrate"])
    return migrations.reverse_later(run, release.app, dataclasses.replace(spec, to=begun["reverse_to"]))


def _migrate_spec(commit: str, images: dict[str, str], request: dict[str, t.Any]) -> migrations.MigrateSpec:
    return migrations.MigrateSpec(
        commit,
        images,
        request["timeout_seconds"],
        backup=backup.BackupSpec(request["backup"], request["backup_timeout_seconds"]),
        lock_timeout_seconds=request["lock_timeout_seconds"],
    )


def _switch_step(release: Release, _args: dict[str, t.Any]) -> Result:
    begun, spec, proxy, how = release.begun, release.spec, release.spec["proxy"], release.spec["switch"]
    restarts = release.purpose == "restart"
    clears = not restarts and release.invalidates() == "all"
    return switch.switch(
        run,
        release.app,
        context.SwitchSpec(
            commit="" if restarts else begun["git"]["target_commit"],
            images=release.result("build").get("images") or begun.get("images") or {},
            strategy=begun["plan"]["strategy"],
            proxy_image=proxy["image"],
            proxy_pull=proxy["pull"],
            trusted_proxies=proxy_names.read_trusted(proxy["trusted_proxies"]),
            tcp_ports=tuple(proxy["tcp_ports"]),
            sitemap=spec["verify"]["sitemap"],
            sitemap_pages=spec["verify"]["sitemap_pages"],
            protect_git=how["protect_git"],
            base_url=spec["base_url"],
            headers=_headers(spec),
            probe_path=_probe_path(spec),
            pages=tuple(spec["pages"]),
            grace_seconds=how["grace_seconds"],
            boot_timeout_seconds=spec["boot_timeout_seconds"],
            settle_seconds=how["settle_seconds"],
            purge_bytecode=how["purge_bytecode"] and not restarts,
            bytecode_mode=how["bytecode_mode"],
            static_rules=_static_rules(spec),
            # A deploy has done so when it built.
            collect=release.purpose == "rollback" and begun["plan"]["collect"],
            cache_version=cache_versions.read(release.result("build").get("cache_version") or begun["cache_version"]),
            warm_paths=tuple(how["warm_paths"] or [one["path"] for one in spec["pages"]]),
            warm_rate=how["warm_rate"],
            update_services=tuple(spec["update_services"]) if release.purpose == "deploy" else (),
            caches=spec["caches"] if clears else {},
        ),
    )


def _clear(release: Release, _args: dict[str, t.Any]) -> Result:
    """Clear what the release's own cache version does not make unreadable."""
    what, caches = release.invalidates(), release.spec["caches"]
    version = release.result("switch").get("caches") or {}
    covered = bool(version.get("covered"))
    if what == "none" or (covered and not version["alias"] and caches["method"] == "settings"):
        return {"changed": False}
    naming = release.replaced() if what == "naming" else []
    done = cache_order.clear(release.app, caches, alias=version["alias"] if covered else (), naming=naming or ())
    warnings = [text for one in done.values() for text in one.pop("warnings", [])]
    more = {"warnings": warnings} if warnings else {}
    return {"changed": any(one.get("changed") for one in done.values()), **done, **more}


def _verify_step(release: Release, _args: dict[str, t.Any]) -> Result:
    spec, switched, verify = release.spec, release.result("switch"), dict(release.spec["verify"])
    headers, header = _headers(spec), verify.pop("release_header")
    params = {
        **{name: option.get("default") for name, option in verify_site.ARGUMENT_SPEC.items()},
        **verify,
        "base_url": switched["base_url"],
        "host": headers.get("Host"),
        "forwarded_proto": headers.get("X-Forwarded-Proto"),
        "pages": spec["pages"],
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "answered_before": switched["answered_before"],
        "release": None,
    }
    if header and release.purpose != "restart":
        params["release"] = {"value": release.begun["git"]["target_commit"], "header": header, "pattern": None}
    warnings: list[str] = []
    done = verify_site.verify(params, warnings.append)
    return {**done, **({"warnings": warnings} if warnings else {})}


def _settle(release: Release, _args: dict[str, t.Any]) -> Result:
    record.require_settled(release.app)
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
        host_header=_headers(spec).get("Host", ""),
        cache_method=spec["caches"]["method"],
        cache_command=spec["caches"]["command"] or "",
        purpose=release.purpose,
        recollect=spec["recollect"],
        invalidate=release.invalidates(),
    )


def _undo_step(release: Release, args: dict[str, t.Any]) -> Result:
    task, reason = str(args.get("task") or ""), str(args.get("reason") or "")
    if not task and release.failures:
        # Begun without being told: the step that failed says why.
        step, failure = next(reversed(release.failures.items()))
        task, reason = TASKS.get(step, step), str(failure["msg"])
    done = undo.undo(run, release.app, undo.Cause(task, reason), release.spec["caches"])
    return {**undo.NOTHING, "changed": bool(done), **done}


def _tidy(release: Release, _args: dict[str, t.Any]) -> Result:
    """Finish or undo the release without its controller."""
    return undo.tidy_up(run, release.app, release.spec["caches"])


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
    "tidy": _tidy,
}
