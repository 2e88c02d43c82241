# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a release beside the one that serves, and check it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os
import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _by_hand,
    _compose,
    _epoch,
    _generated,
    _guest_manage,
    _guest_migrations,
    _guest_release,
    _journal,
    _lease,
    _rules,
    _staticfiles,
    _throwaway,
    _worktree,
)
from ansible_collections.juno.deploy.plugins.module_utils._django_output import cause, mask
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult, Runner

#: A line that a command in a build step printed: the step, the seconds, the text.
_STEP_ERROR = re.compile(r"#[0-9]+ [0-9]+\.[0-9]+ (.*(?:ERROR|[Ee]rror).*)")


#: A database that is a file is copied, to try migrations on, up to this size.
COPY_LIMIT_BYTES = 1024 * 1024 * 1024
#: How long code that was good may take to load.
LOOK_SECONDS = 60
#: Static files without git that are named.
NAMED_BY_HAND = 20
#: How long a database may stay locked before its copy is given up.
COPY_SECONDS = 30
#: How each failure that the guest tells begins.
_FAILURES = {
    "start": "The code of {commit} can't start ({cause})",
    "history": "The migrations of {commit} don't fit the database ({cause})",
    "migration": "The migration {what} of {commit} fails on a copy of the database ({cause})",
    "request": "The code of {commit} answers {what} ({cause})",
    "collect": "The static files of {commit} can't be collected into {what} ({cause})",
}
_UNTOUCHED = "; nothing that serves was touched: correct the commit and deploy again."
#: The guest found no Django, no manage.py or no settings: then the check command alone decides.
_NOT_LOOKED = (_guest_manage.NO_DJANGO, _guest_manage.NO_SETTINGS, _guest_release.NOT_LOOKED)


#: The options of modules that build, but for what the plan says.
BUILD_OPTIONS: dict[str, dict[str, t.Any]] = {
    "check_command": {"type": "list", "elements": "str", "default": ["python", "manage.py", "check"]},
    "build_timeout_seconds": {"type": "int", "default": 1800},
    "check_timeout_seconds": {"type": "int", "default": 120},
    "probe_path": {"type": "str", "default": "/"},
    "headers": {"type": "dict", "default": {}},
    "frontend": {"type": "list", "elements": "str", "default": []},
}


@dataclasses.dataclass(frozen=True)
class BuildOrder:
    """What is to be built and checked."""

    commit: str
    build: bool
    check_command: tuple[str, ...]
    build_timeout_seconds: float
    check_timeout_seconds: float
    collect: bool = False
    #: The app's own command that builds its front-end in the checkout; none for a release that needs it not.
    frontend: tuple[str, ...] = ()
    #: Compile the translations whose compiled form is not in git.
    translate: bool = False
    probe_path: str = "/"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    #: What the release is to have, if its settings honour it.
    epoch: _epoch.Epoch = dataclasses.field(default_factory=_epoch.Epoch)


def build_cause(output: str) -> str:
    """Give the last error that a command of the build printed: BuildKit's own last line names the step only."""
    found = [match[1] for match in map(_STEP_ERROR.match, output.splitlines()) if match]
    return found[-1].rstrip(".") if found else ""


def build(run: Runner, app: App, order: BuildOrder, *, dry: bool) -> dict[str, t.Any]:
    """Build and check a release.

    :raises CommandError: the build or the check failed; nothing that serves was touched.
    """
    if dry:
        return {
            "changed": order.build,
            "images": {},
            "generated": [],
            "by_hand": [],
            "actions": [],
            **_nothing_known(""),
        }
    with _lease.step(app, "the build of a release"):
        sweep(run, app)
        _journal.note(app.journal, "build")
        with _throwaway.opened(run, app, order.commit) as place:
            done = _build_in(run, app, order, place)
        known = done.get("migrations") or {}
        schema = {key: known.get(key) or [] for key in ("applied", "pending")}
        collected = is_collected(done.get("static") or {})
        more = {"layout": done["layout"]} if done.get("layout") else {}
        _journal.note(app.journal, "built", schema=schema, built=done["images"], collected=collected, **more)
        return done


def sweep(run: Runner, app: App) -> None:
    """Remove what builds that were killed left; the lock says that none is at work."""
    for name in os.listdir(app.build_root) if os.path.isdir(app.build_root) else ():
        path = os.path.join(app.build_root, name)
        if os.path.isdir(path):
            _worktree.remove(run, app.path, path)
        else:
            os.unlink(path)


def _build_in(run: Runner, app: App, order: BuildOrder, place: _throwaway.Place) -> dict[str, t.Any]:
    project = app.compose(place.checkout)
    config = _compose.read_config(run, project, checkout=place.checkout)
    for name in app.services:
        _compose.require_service(config, name, place.checkout)
    mounts = _throwaway.write_override(app, place, config, None if order.build else {})
    images = {name: image for name, (_used, image) in _compose.release_images(config, order.commit).items()}
    began = time.monotonic()
    if order.build and images:
        argv = project.argv("build", *sorted(images), checkout=place.checkout, override=place.override)
        done = run(argv, cwd=app.path, timeout_seconds=order.build_timeout_seconds)
        done.require(
            f"The build of {order.commit[:12]} failed ({build_cause(done.stdout + done.stderr) or '{cause}'}); "
            "nothing that serves was touched: correct the commit and deploy again."
        )
    made = _make(run, app, order, place)
    by_hand = _lay_by_hand(run, app, place) if order.collect else []
    built = time.monotonic()
    known = _nothing_known("no check is asked for")
    if order.check_command or order.collect:
        known = check(run, app, order, place, mounts, lambda begun: note_collected(app, begun))
    actions = [{"what": "image", "id": image, "status": "built"} for image in images.values() if order.build]
    return {
        "changed": bool(actions) or is_collected(known["static"]),
        "images": images if order.build else {},
        "generated": made,
        "by_hand": by_hand[:NAMED_BY_HAND],
        **known,
        "build_seconds": round(built - began, 2),
        "check_seconds": round(time.monotonic() - built, 2),
        "actions": actions,
    }


def _make(run: Runner, app: App, order: BuildOrder, place: _throwaway.Place) -> list[str]:
    commands = [("front-end", order.frontend)] if order.frontend else []
    if order.translate and _generated.uncompiled(run, place.checkout):
        manage = _throwaway.manage_py(order.check_command)
        commands.append(("translation", ("python", manage, "compilemessages")))
    before = (_journal.last_done(_journal.read(app.journal)) or {}).get("commit", "")
    return _generated.make(run, app, place, commands, order.build_timeout_seconds, before)


def _lay_by_hand(run: Runner, app: App, place: _throwaway.Place) -> list[str]:
    last = _journal.last_done(_journal.read(app.journal)) or {}
    return _by_hand.lay(run, app, _rules.read_layout(last.get("layout")), place.checkout)


def note_collected(app: App, begun: bool) -> None:
    """Note whether static files of the release at work may be in the root that serves: then its way back collects."""
    if _journal.half_done(_journal.read(app.journal)):
        _journal.change(app.journal, collected=begun)


def collect(
    run: Runner,
    app: App,
    commit: str,
    images: dict[str, str],
    timeout_seconds: float,
    begins: t.Callable[[bool], None] = lambda _begun: None,
) -> dict[str, t.Any]:
    """Collect the static files of a release that was good, with its images (by service); the caller has the lock.

    :raises CommandError: it failed.
    """
    look_seconds = min(timeout_seconds, LOOK_SECONDS)
    order = BuildOrder(commit, False, ("true",), timeout_seconds, look_seconds, collect=True, probe_path="")
    with _throwaway.opened(run, app, commit) as place:
        config = _compose.read_config(run, app.compose(place.checkout), checkout=place.checkout)
        mounts = _throwaway.write_override(app, place, config, images)
        _generated.lay(app, commit, place.checkout)
        _lay_by_hand(run, app, place)
        static: dict[str, t.Any] = check(run, app, order, place, mounts, begins)["static"]
        return static


def is_collected(static: dict[str, t.Any]) -> bool:
    """Say whether static files came, went, or have other content."""
    if not static or static.get("why"):
        return False
    moved = static["added"] > 0 or static["removed"] > 0 or static.get("replaced", 0) > 0
    return moved or bool(static["manifest_hash_before"] != static["manifest_hash_after"])


def check(
    run: Runner,
    app: App,
    order: BuildOrder,
    place: _throwaway.Place,
    mounts: list[dict[str, str]],
    collecting: t.Callable[[bool], None],
) -> dict[str, t.Any]:
    """Ask the release's code in a throwaway container all that can be asked before it serves.

    :param collecting: is told before static files may be collected, and when it is known that none were.
    :raises CommandError: it is not right.
    """
    if order.collect:
        collecting(True)
    answer = _throwaway.ask(
        run,
        app,
        place,
        timeout_seconds=order.check_timeout_seconds,
        more_seconds=order.build_timeout_seconds if order.collect else 0,
        mode="check",
        check=list(order.check_command),
        manage_py=_throwaway.manage_py(order.check_command),
        mounts=mounts,
        directory=app.path,
        probe_path=order.probe_path if order.check_command else "",
        headers=order.headers,
        collect=order.collect,
        collect_seconds=round(order.build_timeout_seconds),
        copy_limit_bytes=COPY_LIMIT_BYTES,
        copy_seconds=COPY_SECONDS,
        environment=order.epoch.environment,
        list_caches=bool(order.epoch.value),
    )
    if answer.told:
        try:
            return judge(order, answer.told, answer.result)
        except CommandError:
            if order.collect:
                collecting(False)
            raise
    done = dataclasses.replace(answer.result, rc=0)
    if order.check_command:
        done = _throwaway.run_plain(run, app, place, order.check_command, order.check_timeout_seconds)
    told = {"check": {"rc": done.rc, "stdout": done.stdout, "stderr": done.stderr}, "looked": {"rc": _NOT_LOOKED[0]}}
    return judge(order, {**told, "not_looked": {"cause": f"the image of '{app.service}' has no Python"}}, done)


def judge(order: BuildOrder, told: dict[str, t.Any], result: CommandResult) -> dict[str, t.Any]:
    """Give what the guest told as the module's result.

    :raises CommandError: something of it is not right; the message says what.
    """
    checked, looked = told["check"], told["looked"]["rc"]
    if checked["rc"]:
        words = " ".join(order.check_command)
        late = checked["rc"] == _throwaway.ALARM
        why = _throwaway.TOO_LONG if late else mask(cause(checked["stderr"], checked["stdout"]))
        raise CommandError(
            f"The code of {order.commit[:12]} can't start: '{words}' failed ({why})" + _UNTOUCHED,
            cmd=list(order.check_command),
            **{**checked, "stdout": mask(checked["stdout"]), "stderr": mask(checked["stderr"])},
        )
    if looked not in (0, *_NOT_LOOKED):
        _fail(order, told, looked, result)
    if told.get("collected", {}).get("rc"):
        _fail(order, told, told["collected"]["rc"], result)
    lines = [line for line in (checked["stdout"] or checked["stderr"]).splitlines() if line.strip()]
    missing = told.get("not_looked", {}).get("cause", "") or ("its settings were not found" if looked else "")
    return {
        **_nothing_known(missing),
        **_seen(order, told),
        "epoch": _epoch.judge(order.epoch, told.get("caches")).as_dict(),
        "layout": told.get("layout") or {},
        "checked": mask(lines[-1].strip()) if lines else "",
    }


def _seen(order: BuildOrder, told: dict[str, t.Any]) -> dict[str, t.Any]:
    static = told.get("static", {})
    # Thousands of names, which nobody reads.
    known: dict[str, t.Any] = {"static": {name: value for name, value in static.items() if name != "entries"}}
    if "entries" in static and static.get("has_manifest", True):
        known["static"]["replaced_names"] = _staticfiles.replaced(static["entries"])
    if "migrations" not in told:
        return known
    migrations = told["migrations"]
    default: dict[str, t.Any] = next(
        (one for one in migrations["databases"] if one["alias"] == _guest_migrations.ALIAS), {}
    )
    requested = told.get("requested") or {"path": order.probe_path, "status": 0, "why": "no page is asked for"}
    unlooked = [f"The migrations were not tried: {migrations['why']}."] if migrations["why"] else []
    if order.probe_path and not requested["status"]:
        unlooked.append(f"No page was asked for before the switch: {requested['why']}.")
    return {
        **known,
        "migrations": {**migrations, "database": default},
        "requested": requested,
        "unlooked": [mask(line) for line in unlooked],
    }


def _nothing_known(why: str) -> dict[str, t.Any]:
    return {
        "checked": "",
        "migrations": {"pending": [], "applied": [], "tried": False, "database": {}, "databases": [], "why": why},
        "requested": {"path": "", "status": 0, "why": why},
        "static": {},
        "layout": {},
        "epoch": _epoch.Epoch(why="the app's caches are not known").as_dict(),
        "unlooked": [f"Neither migrations nor a page were looked at: {mask(why)}."] if why else [],
    }


def _fail(order: BuildOrder, told: dict[str, t.Any], rc: int, result: CommandResult) -> t.NoReturn:
    step = next((name for name in reversed(_FAILURES) if f"failure:{name}" in told), "start")
    failure = told.get(f"failure:{step}", {})
    begin = _FAILURES[step] if failure.get("what") else _FAILURES[step].replace(" {what} of", " of")
    message = begin.format(commit=order.commit[:12], what=failure.get("what", ""), cause=_throwaway.reason(rc, failure))
    raise CommandError(
        message
        + (
            _UNTOUCHED
            if step != "collect"
            else "; the manifest that serves is as it was: correct the commit and deploy again."
        ),
        cmd=result.cmd,
        rc=rc,
        stdout=result.stdout,
        stderr=result.stderr,
    )
