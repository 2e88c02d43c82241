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
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version, journal
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site

if t.TYPE_CHECKING:
    from collections.abc import Callable

    Result = dict[str, t.Any]

#: After these the release is over.
LAST = ("record", "undo", "tidy")
#: How a failed step is called in the journal, by its task's name in the role.
TASKS = {
    "begin": "Begin, alone and from a known state",
    "build": "Build and check the release",
    "migrate": "Migrate, with a copy of the database first",
    "switch": "Switch to the release",
    "reverse": "Reverse the migrations that came later",
    "clear": "Clear the caches",
    "prove": "Prove that the site serves what it must",
    "settle": "See that the new containers stay well",
    "record": "Record the release",
}


@dataclasses.dataclass
class Release:
    """What a release is to be, and how far it has come; of the deployer, and in each step a copy."""

    app: app_app.App
    #: The options of C(_base.options.RELEASE).
    order: dict[str, t.Any]
    holder: state_lock.Holder
    #: The directory with the collection's code on this host.
    package: str
    controller_timeout: float = 60.0
    #: The lock's open file.
    lock: int = -1
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
    def from_order(cls, told: dict[str, t.Any], lock: int = -1) -> Release:
        """Read what C(release_begin) hands over."""
        app = app_app.unchecked(told["order"])
        return cls(
            app=app,
            order=told["order"],
            holder=state_lock.Holder(**told["holder"]),
            package=told["package"],
            controller_timeout=float(told["controller_timeout_seconds"]),
            lock=lock,
            taken_over=told["taken_over"],
            at_once=told["at_once"],
            usual=usual_seconds(app),
        )

    @property
    def purpose(self) -> str:
        """What it is for: deploy, rollback or restart."""
        return str(self.order["purpose"])

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
        anew = bool(self.order["collect_anew"])
        return invalidation.scope(self.purpose, self.begun["plan"], collect_anew=anew, replaced=self.replaced())

    def replaced(self) -> list[str] | None:
        """Name the static files that were replaced; nothing when that is not known."""
        built, anew = self.result("build"), bool(self.order["collect_anew"])
        return invalidation.replaced_names(built, built, collect_anew=anew)


def is_interrupted(release: Release) -> bool:
    """Return whether the journal has a release that is neither done nor undone."""
    try:
        return journal.half_done(journal.read(release.app.journal)) is not None
    except JunoError:
        return False  # nothing can be done about one that can't be read


def following(release: Release, name: str) -> str:
    """Name the step that follows one if nothing fails, as the role django_app has them; empty after the last."""
    purpose, order = release.purpose, release.order
    clears = purpose != "restart" or order["collect_anew"]
    due = {
        "build": purpose == "deploy" or order["collect_anew"],
        "migrate": purpose == "deploy" and release.result("build").get("migrates"),
        "switch": True,
        "reverse": purpose == "rollback" and order["reverse_migrations"] and release.begun["reverse_to"],
        "clear": clears,
        "prove": True,
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
    app_app.check(release.order)
    return _with_words(release, begin.look_only(run, release.app, release.order), diff=diff)


def _begin_step(release: Release, args: dict[str, t.Any]) -> Result:
    app_app.check(release.order)
    found = begin.begin(run, release.app, release.order, release.holder, release.package)
    found["taken_over"] = release.taken_over
    return _with_words(release, found, diff=bool(args.get("diff")))


def _with_words(release: Release, found: Result, *, diff: bool) -> Result:
    difference = found.pop("diff", None)
    order = release.order
    told = plan_text.PlanContext(release.purpose, order["reverse_migrations"], tuple(order["notices"]))
    words = plan_text.lines(found, told)
    return {**found, "words": words, **({"diff": difference} if diff and difference else {})}


def _build(release: Release, args: dict[str, t.Any]) -> Result:
    if release.order["collect_anew"]:
        return _collect_anew(release)
    begun, order = release.begun, release.order
    plan, build = begun["plan"], order["build"]
    epoch = args.get("epoch") or begun["epoch"]
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
            probe_path=_probe_path(order),
            headers=_headers(order),
            # Elsewhere a new container is asked for them before it gets visitors.
            pages=tuple(order["pages"]) if plan["strategy"] == "reload" else (),
            epoch=cache_version.read(epoch),
            boot_timeout_seconds=order["boot_timeout_seconds"],
            update_services=tuple(order["update_services"]),
            base_url=order["base_url"],
        ),
    )
    return {**done, "migrates": _migrates(done, order)}


def _migrates(built: Result, order: dict[str, t.Any]) -> bool:
    """Return whether the database that serves is migrated before the switch."""
    found = built.get("migrations") or {}
    pending = bool(found.get("pending") or found.get("unanswered"))
    inside = (found.get("database") or {}).get("where") == "container"
    return (pending and not inside) or order["migrate"]["backup"] == "always"


def _collect_anew(release: Release) -> Result:
    """Collect all static files anew, with the code that serves, and let go of what nothing names."""
    order, rules = release.order, _static_rules(release.order)
    more = {"clear": False, "staging": True, "force": True, "link": False, "ignore": []}
    params = {
        **{name: spec.get("default") for name, spec in runner.ARGUMENTS.items()},
        **more,
        **rules,
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "settings": order["caches"]["settings"],
        "timeout_seconds": order["build"]["build_timeout_seconds"],
    }
    started = collectstatic.made_elsewhere(params) if params["prune"] else None
    return collectstatic.collect(runner.places(params)[0], params, dry_run=False, with_diff=False, started=started)


def _static_rules(order: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "keep_releases": order["record"]["keep_releases"],
        "html_max_age": order["prove"]["html_max_age"],
        "prune": order["switch"]["prune_static"],
    }


def _headers(order: dict[str, t.Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in order["headers"].items()}


def _probe_path(order: dict[str, t.Any]) -> str:
    return str(order["pages"][0]["path"]) if order["pages"] else "/"


def _migrate(release: Release, _args: dict[str, t.Any]) -> Result:
    built, wish = release.result("build"), release.order["migrate"]
    order = _migrate_order(release.begun["git"]["target_commit"], built["images"], wish)
    order = dataclasses.replace(order, databases=(built.get("migrations") or {}).get("databases") or [])
    return migrations.migrate(run, release.app, order)


def _reverse(release: Release, _args: dict[str, t.Any]) -> Result:
    begun = release.begun
    order = _migrate_order(begun["serving"]["commit"], begun["serving_images"], release.order["migrate"])
    return migrations.reverse_later(run, release.app, dataclasses.replace(order, to=begun["reverse_to"]))


def _migrate_order(commit: str, images: dict[str, str], wish: dict[str, t.Any]) -> migrations.MigrateSpec:
    return migrations.MigrateSpec(
        commit,
        images,
        wish["timeout_seconds"],
        backup=backup.Wish(wish["backup"], wish["backup_timeout_seconds"]),
        lock_timeout_seconds=wish["lock_timeout_seconds"],
    )


def _switch_step(release: Release, _args: dict[str, t.Any]) -> Result:
    begun, order, edge, how = release.begun, release.order, release.order["edge"], release.order["switch"]
    restarts = release.purpose == "restart"
    clears = not restarts and release.invalidates() == "all"
    return switch.switch(
        run,
        release.app,
        context.SwitchOrder(
            commit="" if restarts else begun["git"]["target_commit"],
            images=release.result("build").get("images") or begun.get("images") or {},
            strategy=begun["plan"]["strategy"],
            edge_image=edge["image"],
            edge_pull=edge["pull"],
            trusted_proxies=proxy_names.read_trusted(edge["trusted_proxies"]),
            tcp_ports=tuple(edge["tcp_ports"]),
            sitemap=order["prove"]["sitemap"],
            sitemap_pages=order["prove"]["sitemap_pages"],
            protect_git=how["protect_git"],
            base_url=order["base_url"],
            headers=_headers(order),
            probe_path=_probe_path(order),
            pages=tuple(order["pages"]),
            grace_seconds=how["grace_seconds"],
            boot_timeout_seconds=order["boot_timeout_seconds"],
            settle_seconds=how["settle_seconds"],
            purge_bytecode=how["purge_bytecode"] and not restarts,
            bytecode_mode=how["bytecode_mode"],
            static_rules=_static_rules(order),
            # A deploy has done so when it built.
            collect=release.purpose == "rollback" and begun["plan"]["collect"],
            epoch=cache_version.read(release.result("build").get("epoch") or begun["epoch"]),
            warm_paths=tuple(how["warm_paths"] or [one["path"] for one in order["pages"]]),
            warm_rate=how["warm_rate"],
            update_services=tuple(order["update_services"]) if release.purpose == "deploy" else (),
            caches=order["caches"] if clears else {},
        ),
    )


def _clear(release: Release, _args: dict[str, t.Any]) -> Result:
    """Clear what the release's own epoch does not make unreadable."""
    what, caches = release.invalidates(), release.order["caches"]
    epoch = release.result("switch").get("caches") or {}
    covered = bool(epoch.get("covered"))
    if what == "none" or (covered and not epoch["alias"] and caches["method"] == "settings"):
        return {"changed": False}
    naming = release.replaced() if what == "naming" else []
    done = cache_order.clear(release.app, caches, alias=epoch["alias"] if covered else (), naming=naming or ())
    warnings = [text for one in done.values() for text in one.pop("warnings", [])]
    told = {"warnings": warnings} if warnings else {}
    return {"changed": any(one.get("changed") for one in done.values()), **done, **told}


def _prove_step(release: Release, _args: dict[str, t.Any]) -> Result:
    order, switched, prove = release.order, release.result("switch"), dict(release.order["prove"])
    headers, header = _headers(order), prove.pop("release_header")
    params = {
        **{name: spec.get("default") for name, spec in verify_site.ARGUMENT_SPEC.items()},
        **prove,
        "base_url": switched["base_url"],
        "host": headers.get("Host"),
        "forwarded_proto": headers.get("X-Forwarded-Proto"),
        "pages": order["pages"],
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "answered_before": switched["answered_before"],
        "release": None,
    }
    if header and release.purpose != "restart":
        params["release"] = {"value": release.begun["git"]["target_commit"], "header": header, "pattern": None}
    warnings: list[str] = []
    done = verify_site.prove(params, warnings.append)
    return {**done, **({"warnings": warnings} if warnings else {})}


def _settle(release: Release, _args: dict[str, t.Any]) -> Result:
    record.require_settled(release.app)
    return {"changed": False}


def _record_step(release: Release, _args: dict[str, t.Any]) -> Result:
    order, switched, proved = release.order, release.result("switch"), release.result("prove")
    clears = order["caches"]["method"] != "none" and release.purpose != "restart"
    figures = {
        "build_seconds": release.result("build").get("build_seconds", 0.0),
        "outage_seconds": switched["outage_seconds"],
        "html_max_age_seconds": proved.get("html_max_age_found") or 0,
        "steps": release.seconds,
    }
    marks = {
        "switch_began": switched["began"],
        "old_gone": (switched["cleared_at"] or proved["began"]) if clears else None,
    }
    keep = record.Keep(*(order["record"][name] for name in options.RECORD))
    done = record.record(run, release.app, figures, marks, keep=keep)
    return {**done, "report": report_text.lines(_results(release, done), _site(release))}


def _results(release: Release, recorded: Result) -> report_text.Results:
    cleared = release.result("clear")
    anew = release.order["collect_anew"]
    return report_text.Results(
        begun=release.begun,
        built={} if anew else release.result("build"),
        migrated=release.result("reverse") or release.result("migrate"),
        collected=release.result("build") if anew else {},
        switched=release.result("switch"),
        cleared=cleared.get("settings"),
        flushed=cleared.get("memcached"),
        proved=release.result("prove"),
        recorded=recorded,
    )


def _site(release: Release) -> report_text.Site:
    order = release.order
    return report_text.Site(
        site_url=order["site_url"],
        host_name=order["host_name"],
        host_header=_headers(order).get("Host", ""),
        cache_method=order["caches"]["method"],
        cache_command=order["caches"]["command"] or "",
        purpose=release.purpose,
        collect_anew=order["collect_anew"],
        invalidate=release.invalidates(),
    )


def _undo_step(release: Release, args: dict[str, t.Any]) -> Result:
    task, reason = str(args.get("task") or ""), str(args.get("reason") or "")
    if not task and release.failures:
        # Begun without being told: the step that failed says why.
        step, failure = next(reversed(release.failures.items()))
        task, reason = TASKS.get(step, step), str(failure["msg"])
    done = undo.undo(run, release.app, undo.Cause(task, reason), release.order["caches"])
    return {**undo.NOTHING, "changed": bool(done), **done}


def _tidy(release: Release, _args: dict[str, t.Any]) -> Result:
    """Finish or undo the release without its controller."""
    return undo.tidy_up(run, release.app, release.order["caches"])


STEPS: dict[str, Callable[[Release, dict[str, t.Any]], Result]] = {
    "begin": _begin_step,
    "build": _build,
    "migrate": _migrate,
    "switch": _switch_step,
    "reverse": _reverse,
    "clear": _clear,
    "prove": _prove_step,
    "settle": _settle,
    "record": _record_step,
    "undo": _undo_step,
    "tidy": _tidy,
}
