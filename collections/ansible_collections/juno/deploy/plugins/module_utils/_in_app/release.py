# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: all that is asked of a release's code in a throwaway container.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_list import list_versions
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_redis import out_of_reach
from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import (
    Command,
    Manage,
    Waiting,
    fork,
    in_words,
    is_manage,
    leave,
    preload,
    wait,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.connection_room import connections
from ansible_collections.juno.deploy.plugins.module_utils._in_app.databases import (
    copy_aside,
    describe_all,
    mount_of,
    real_path,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_sessions import begin_with, refused_writes
from ansible_collections.juno.deploy.plugins.module_utils._in_app.layout import layout, static_at
from ansible_collections.juno.deploy.plugins.module_utils._in_app.lock_settings import fail, settings_of
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import emit, say
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migrate import fits, migrate, reverse, undo_own
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import (
    ALIAS,
    MigrationFailed,
    in_number,
    list_migrations,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migrations import apply_pending, teller
from ansible_collections.juno.deploy.plugins.module_utils._in_app.request import ask, calm, judge

#: What is told last: all is done then.
END = "end"


def main(request: "dict[str, t.Any]") -> None:
    """Do what the request's C(mode) says."""
    modes = {
        "check": check,
        "migrate": migrate,
        "reverse": reverse,
        "undo": undo_own,
        "fits": fits,
        "connect": connect,
    }
    modes[request["mode"]](request)
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
        command = Manage(request["check"], request, lambda: begin_with({"read_only": True}))
    looked = wait(fork(look, request))
    emit(request, "looked", {"rc": looked})
    waiting = None
    if command and request["readiness_path"]:  # else it is asked nothing, and collects only
        # Only now: what two print at once may mix.
        say(request, "waits for {} of {}".format(" ".join(request["check"]), request["code"]))
    if request["collect"] and looked == 0:
        waiting = Waiting(collect, dict(request, timeout_seconds=request["collect_seconds"]))
    checked = command.result() if command else {"rc": 0, "stdout": "", "stderr": ""}
    collected = waiting.end(checked["rc"] == 0) if waiting else None
    # Not before that child is gone: what two print at once may mix.
    emit(request, "check", checked)
    if collected is not None:
        emit(request, "collected", {"rc": collected})


def connect(request: "dict[str, t.Any]") -> None:
    """Write how the database is reached, or a copy of it, where only the host's root reads it."""

    def write(request: "dict[str, t.Any]") -> None:
        settings = settings_of(request)
        # It is sent along only where this is done.
        connections = importlib.import_module(__name__.rpartition(".")[0] + ".connections")
        if request["copy_seconds"]:
            connections.write_copy(settings, ALIAS, request["secret_path"], request["copy_seconds"])
            return
        importlib.import_module("django").setup()
        connections.write(settings, ALIAS, request["secret_path"])

    emit(request, "connected", {"rc": wait(fork(write, request))})


def look(request: "dict[str, t.Any]") -> None:
    """Load the app on copies of its databases, list and try its migrations, ask it for a page.

    A database on a server can't be copied: it is only read.
    """
    settings = settings_of(request)
    begin_with({"read_only": True})
    databases = describe_all(settings, request["mounts"])
    for one in databases:
        if one["file"]:
            say(request, "copies the database {} for {} to try".format(one["path"], request["code"]))
            name = copy_aside(one, request["copy_limit_bytes"], request["copy_seconds"])
            settings.DATABASES[one["alias"]]["NAME"] = name
    if request["list_caches"]:
        emit(request, "caches", list_versions())
    if request["clears"] is not None:
        for alias, why in out_of_reach(settings, request["clears"], request["cache_version"]).items():
            fail(request, "caches", alias, why)
    # Read before the page's storage takes its place.
    static = static_at(settings)
    calm(settings)
    say(request, "loads {} in a container that nobody visits".format(request["code"]))
    importlib.import_module("django").setup()
    if request["directory"]:
        emit(request, "layout", dict(layout(settings, request["mounts"], request["directory"]), static_at=static))
    migrations = _migrations(request, databases)
    emit(request, "migrations", migrations)
    if migrations["applied"] or migrations["pending"]:  # else it doesn't answer
        emit(request, "connections", connections())
    if request["readiness_path"]:
        emit(request, "requested", _ask(settings, request, databases))


def _migrations(request: "dict[str, t.Any]", databases: "list[dict[str, t.Any]]") -> "dict[str, t.Any]":
    """List the migrations, and try those that are pending where that changes a copy only."""
    main_one = next((one for one in databases if one["alias"] == ALIAS), {"where": "none"})
    result: dict[str, t.Any] = {"databases": databases, "pending": [], "applied": [], "tried": False, "why": ""}
    # Until it is known to be right, no page is asked for.
    request["ready"] = True
    if main_one["where"] == "none":
        return dict(result, why="the app has no database")
    say(request, "looks which migrations are pending")
    try:
        result.update(list_migrations())
    except MigrationFailed as exc:
        fail(request, "history", exc.what, exc.cause)
    except importlib.import_module("django.db").Error as exc:
        request["ready"] = False
        return dict(result, why=f"the database doesn't answer ({in_words(exc)})", unanswered=True)
    if result["pending"] and main_one["copied"]:
        try:
            say(request, "tries {} on a copy of the database".format(in_number(result["pending"])))
            apply_pending(teller(request, "tries {} on a copy of the database"))
        except MigrationFailed as exc:
            emit(request, "migrations", result)
            fail(request, "migration", exc.what, exc.cause)
        result["tried"] = True
    elif result["pending"]:
        request["ready"] = False
        result["why"] = main_one["why"] or "the database is not a file of the app's directory"
    return result


def _ask(settings: t.Any, request: "dict[str, t.Any]", databases: "list[dict[str, t.Any]]") -> "dict[str, t.Any]":
    path = request["readiness_path"]
    uncopied = [one for one in databases if one["why"]]
    if not request["ready"] or uncopied:
        why = "its database can't be asked before the switch"
        return {"path": path, "status": 0, "why": why + "".join(": " + one["why"] for one in uncopied)}
    refused = refused_writes()
    say(request, "asks {} for {}".format(request["code"], path))
    try:
        answer = ask(settings, path, request["headers"])
    except Exception as exc:  # noqa: BLE001 - a page may raise what it likes
        answer = {"path": path, "status": 500, "why": in_words(exc)}
    if answer["status"] < 500:
        for page in request.get("pages") or []:
            _must_show(settings, request, page)
        return answer
    if refused:
        return {"path": path, "status": 0, "why": "it writes to the database, which is only read before the switch"}
    if "DummyCache" not in answer["why"] or "no attribute" not in answer["why"]:
        fail(request, "request", f"GET {path} with {answer['status']}", answer["why"] or "the page says no more")
    return dict(answer, status=0, why="it needs what only its own cache can do")


def _must_show(settings: t.Any, request: "dict[str, t.Any]", page: "dict[str, t.Any]") -> None:
    """Ask for a page that the verification will ask for, where no new container can be asked before visitors are."""
    parts: list[bytes] = []
    say(request, "asks {} for {}".format(request["code"], page["path"]))
    try:
        answer = ask(settings, page["path"], request["headers"], parts)
    except Exception as exc:  # noqa: BLE001 - a page may raise what it likes
        answer = {"path": page["path"], "status": 500, "why": in_words(exc)}
    if answer["status"] == 500 and "DummyCache" in answer["why"]:
        return
    if request.get("more_headers") and 300 <= answer["status"] < 500 and answer["status"] != page.get("status", 200):
        return  # it may want a header that is not sent here
    wrong = judge(page, answer, b"".join(parts).decode("utf-8", "replace"), request["headers"])
    if wrong:
        fail(request, "request", f"GET {page['path']} with {answer['status']}", wrong)


def collect(request: "dict[str, t.Any]", stand: "t.Callable[[], None]") -> None:
    """Collect static files with the new code into the root that serves; nothing is written there before C(stand)."""
    settings = settings_of(request)
    place = static_at(settings).get("place", "")
    root = str(settings.STATIC_ROOT or "")
    # With a bucket it may be there nevertheless, and means nothing.
    if root and not place:
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
    say(request, f"collects the static files into {place or root}")

    def run() -> None:
        importlib.import_module("django.core.management").call_command("collectstatic", interactive=False, verbosity=0)

    # It is sent along only where something is collected.
    collector = importlib.import_module(__name__.rpartition(".")[0] + ".static_collect")
    try:
        result = collector.collect(run, {"in_container": True, "touch": lambda: emit(request, "touched", {})})
    except Exception as exc:  # noqa: BLE001 - a storage may raise what it likes
        fail(request, "collect", place or root, in_words(exc))
    emit(request, "static", result)
