# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: all that is asked of a release's code in a throwaway container.

Private to juno.deploy: no stable interface. See _guest_manage for the limits of such a module.
"""

import importlib
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._guest_cache_list import list_versions
from ansible_collections.juno.deploy.plugins.module_utils._guest_databases import (
    describe_all,
    mount_of,
    real_path,
    stand_in,
)
from ansible_collections.juno.deploy.plugins.module_utils._guest_layout import layout, static_at
from ansible_collections.juno.deploy.plugins.module_utils._guest_manage import before_apps, emit, prepare
from ansible_collections.juno.deploy.plugins.module_utils._guest_migrations import (
    ALIAS,
    Told,
    apply_pending,
    before,
    entry,
    list_migrations,
    take_back,
    undo_targets,
)
from ansible_collections.juno.deploy.plugins.module_utils._guest_process import (
    Command,
    Manage,
    Waiting,
    fork,
    in_words,
    is_manage,
    leave,
    notebook,
    preload,
    read_notes,
    wait,
)
from ansible_collections.juno.deploy.plugins.module_utils._guest_request import ask, calm, judge

#: Return code of a child that told a failure, and of one that could not find the app's settings.
FAILED = 95
NOT_LOOKED = 96
#: What is told last: all is done then.
END = "end"


def main(request: "dict[str, t.Any]") -> None:
    """Do what the request's C(mode) says."""
    {"check": check, "migrate": migrate, "reverse": reverse, "connect": connect}[request["mode"]](request)
    emit(request, END, {})
    leave(0)


def check(request: "dict[str, t.Any]") -> None:
    """Run the check command and look at the app at the same time; when both went well, collect static files.

    Each takes a core. So the child that collects starts when the look is over, and loads the app while the check
    command is still at work; one more beside those two gains nothing where there are two cores, and takes memory.
    """
    command: t.Any = None
    inside = is_manage(request["check"])
    if request["check"] and not inside:
        command = Command(request["check"], request["timeout_seconds"])
    if request["collect"] or inside:
        preload(request)
    if inside:
        command = Manage(request["check"], request)
    looked = wait(fork(look, request))
    emit(request, "looked", {"rc": looked})
    waiting = None
    if request["collect"] and looked == 0:
        waiting = Waiting(collect, dict(request, timeout_seconds=request["collect_seconds"]))
    checked = command.result() if command else {"rc": 0, "stdout": "", "stderr": ""}
    collected = waiting.end(checked["rc"] == 0) if waiting else None
    # Not before that child is gone: what two print at once may mix.
    emit(request, "check", checked)
    if collected is not None:
        emit(request, "collected", {"rc": collected})


def migrate(request: "dict[str, t.Any]") -> None:
    """Apply the pending migrations; when one fails, take back those of this run that can be."""
    with notebook() as notes:
        code = wait(fork(lambda request: apply(request, notes), request))
        told = read_notes(notes)
    done = [one for what, one in told if what == "done"]
    was: dict[str, str] = next((one for what, one in told if what == "before"), {})
    begun = [one for what, one in told if what == "begun"]
    emit(request, "applied", {"rc": code, "applied": done, "before": was, "begun": begun[len(done) :]})
    if code:
        back = undo_targets(done, was)
        emit(request, "undone", {"rc": wait(fork(undo, dict(request, to=back))) if back else 0, "to": back})


def reverse(request: "dict[str, t.Any]") -> None:
    """Take apps back to where they stood."""
    emit(request, "reversed", {"rc": wait(fork(undo, request))})


def connect(request: "dict[str, t.Any]") -> None:
    """Write how the database is reached, or a copy of it, where only the host's root reads it."""

    def write(request: "dict[str, t.Any]") -> None:
        settings = settings_of(request)
        # It was sent along only to a guest that does this.
        connections = importlib.import_module(__name__.rpartition(".")[0] + "._guest_connections")
        if request["copy_seconds"]:
            connections.write_copy(settings, ALIAS, request["secret_path"], request["copy_seconds"])
            return
        importlib.import_module("django").setup()
        connections.write(settings, ALIAS, request["secret_path"])

    emit(request, "connected", {"rc": wait(fork(write, request))})


def settings_of(request: "dict[str, t.Any]") -> t.Any:
    """Find the app's settings as its manage.py does; leave where there are none."""
    cause = ""
    try:
        prepare(request)
        before_apps(request, lambda: None)
        settings = importlib.import_module("django.conf").settings
        if not (settings.configured or os.environ.get("DJANGO_SETTINGS_MODULE")):
            cause = "nothing names a settings module"
    except SystemExit:  # no Django, or neither a manage.py nor the name of a settings module: told already
        cause = "no Django settings were found"
    except Exception as exc:  # noqa: BLE001 - manage.py may raise what it likes, and the error is told
        cause = in_words(exc)
    if cause:
        emit(request, "not_looked", {"cause": cause})
        raise SystemExit(NOT_LOOKED)
    return settings


def fail(request: "dict[str, t.Any]", step: str, what: str, cause: str) -> t.NoReturn:
    """Tell why this can't be released, and leave."""
    emit(request, "failure:" + step, {"what": what, "cause": cause})
    raise SystemExit(FAILED)


def look(request: "dict[str, t.Any]") -> None:
    """Load the app on copies of its databases, list and try its migrations, ask it for a page."""
    settings = settings_of(request)
    databases = describe_all(settings, request["mounts"])
    for one in databases:
        if one["file"]:
            name = stand_in(one, request["copy_limit_bytes"], request["copy_seconds"])
            settings.DATABASES[one["alias"]]["NAME"] = name
    if request["list_caches"]:
        emit(request, "caches", list_versions())
    # Read before the page's storage takes its place.
    static = static_at(settings)
    calm(settings)
    importlib.import_module("django").setup()
    if request["directory"]:
        emit(request, "layout", dict(layout(settings, request["mounts"], request["directory"]), static_at=static))
    emit(request, "migrations", _migrations(request, databases))
    if request["probe_path"]:
        emit(request, "requested", _ask(settings, request, databases))


def _migrations(request: "dict[str, t.Any]", databases: "list[dict[str, t.Any]]") -> "dict[str, t.Any]":
    """List the migrations, and try those that are pending where that changes a copy only."""
    main_one = next((one for one in databases if one["alias"] == ALIAS), {"where": "none"})
    told: dict[str, t.Any] = {"databases": databases, "pending": [], "applied": [], "tried": False, "why": ""}
    # Until it is known to be right, no page is asked for.
    request["ready"] = True
    if main_one["where"] == "none":
        return dict(told, why="the app has no database")
    try:
        told.update(list_migrations())
    except Told as exc:
        fail(request, "history", exc.what, exc.cause)
    except importlib.import_module("django.db").Error as exc:
        request["ready"] = False
        return dict(told, why=f"the database doesn't answer ({in_words(exc)})", unanswered=True)
    if told["pending"] and main_one["copied"]:
        try:
            apply_pending(lambda _what, _migration: None)
        except Told as exc:
            emit(request, "migrations", told)
            fail(request, "migration", exc.what, exc.cause)
        told["tried"] = True
    elif told["pending"]:
        request["ready"] = False
        told["why"] = main_one["why"] or "the database is not a file of the app's directory"
    return told


def _ask(settings: t.Any, request: "dict[str, t.Any]", databases: "list[dict[str, t.Any]]") -> "dict[str, t.Any]":
    path = request["probe_path"]
    uncopied = [one for one in databases if one["why"]]
    if not request["ready"] or uncopied:
        why = "its database can't be asked before the switch"
        return {"path": path, "status": 0, "why": why + "".join(": " + one["why"] for one in uncopied)}
    try:
        told = ask(settings, path, request["headers"])
    except Exception as exc:  # noqa: BLE001 - a page may raise what it likes
        told = {"path": path, "status": 500, "why": in_words(exc)}
    if told["status"] < 500:
        for page in request.get("pages") or []:
            _must_show(settings, request, page)
        return told
    if "DummyCache" in told["why"] and "no attribute" in told["why"]:
        return dict(told, status=0, why="it needs what only its own cache can do")
    fail(request, "request", f"GET {path} with {told['status']}", told["why"] or "the page says no more")


def _must_show(settings: t.Any, request: "dict[str, t.Any]", page: "dict[str, t.Any]") -> None:
    """Ask for a page that the proof will ask for, where no new container can be asked before visitors are."""
    parts: list[bytes] = []
    try:
        told = ask(settings, page["path"], request["headers"], parts)
    except Exception as exc:  # noqa: BLE001 - a page may raise what it likes
        told = {"path": page["path"], "status": 500, "why": in_words(exc)}
    if told["status"] == 500 and "DummyCache" in told["why"]:
        return
    wrong = judge(page, told, b"".join(parts).decode("utf-8", "replace"), request["headers"])
    if wrong:
        fail(request, "request", f"GET {page['path']} with {told['status']}", wrong)


def collect(request: "dict[str, t.Any]", stand: "t.Callable[[], None]") -> None:
    """Collect static files with the new code into the root that serves; nothing is written there before C(stand)."""
    settings = settings_of(request)
    root = str(settings.STATIC_ROOT or "")
    if root:
        path = os.path.abspath(root)
        mount = mount_of(path, request["mounts"])
        if mount["kind"] == "container":
            stand()
            emit(request, "static", {"why": f"{path} is in the image, not in a volume"})
            return
        if mount["kind"] == "checkout":
            settings.STATIC_ROOT = real_path(path, mount, "seen")
    importlib.import_module("django").setup()
    # A storage may write as soon as it is made.
    stand()

    def run() -> None:
        importlib.import_module("django.core.management").call_command("collectstatic", interactive=False, verbosity=0)

    # It was sent along only to a guest that collects.
    collector = importlib.import_module(__name__.rpartition(".")[0] + "._guest_static_collect")
    try:
        told = collector.collect(run, {"in_container": True})
    except Exception as exc:  # noqa: BLE001 - a storage may raise what it likes
        fail(request, "collect", root, in_words(exc))
    emit(request, "static", told)


def _real(request: "dict[str, t.Any]") -> None:
    """Load the app with the new code and the databases that serve."""
    settings = settings_of(request)
    databases = describe_all(settings, request["mounts"])
    emit(request, "real", {"databases": databases})
    for one in databases:
        if one["file"]:
            conf = settings.DATABASES[one["alias"]]
            # Not a file of its own in the container: the journal must lie beside the real one.
            conf["NAME"] = one["live"]
            options = conf.setdefault("OPTIONS", {})
            options["timeout"] = max(options.get("timeout") or 0, request["busy_seconds"])
    importlib.import_module("django").setup()


def apply(request: "dict[str, t.Any]", notes: t.Any) -> None:
    """Apply the pending migrations to the databases that serve, noting each."""

    def note(what: str, value: t.Any) -> None:
        notes.write(json.dumps([what, value]) + "\n")
        notes.flush()

    _real(request)
    try:
        note("before", before(list_migrations()["pending"]))
        apply_pending(lambda what, migration: note(what, entry(migration)))
    except Told as exc:
        fail(request, "migration", exc.what, exc.cause)


def undo(request: "dict[str, t.Any]") -> None:
    """Take apps back; what is reversed is told, or only planned where the request is dry."""
    _real(request)
    try:
        plan = take_back(request["to"], request["dry"], lambda _what, _migration: None)
    except Told as exc:
        fail(request, "reverse", exc.what, exc.cause)
    emit(request, "undone_migrations", {"migrations": plan})
