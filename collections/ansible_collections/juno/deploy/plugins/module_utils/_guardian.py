# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tidy up on the host itself when the controller that changed an app has died. Private to juno.deploy.

The fork server outlives its controller, so it is what finishes or undoes the half-done release, and clears the caches.
The next deploy does the same where nobody is left to do it (the host was restarted) or it comes earlier: then it takes
the lease, and ends this.
"""

from __future__ import annotations

import sys
import threading
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _cacheflow,
    _cachepolicy,
    _django,
    _journal,
    _lease,
    _memcached,
    _memcached_flush,
    _memcached_report,
    _memcached_select,
    _orphan,
    _undo,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: What keeps it from tidying up may pass: an Engine that is restarted, a full disk.
TRIES = 30
TRY_AGAIN_SECONDS = 10.0


def stand_in(run: Runner, app: App, caches: dict[str, t.Any], wait: t.Callable[[float], t.Any] | None = None) -> bool:
    """Tidy up after the dead controller that holds the lease, as often as it takes; say whether that was done.

    Whoever takes the lease meanwhile does it instead.
    """
    wait = wait or threading.Event().wait
    for _try in range(TRIES):
        if not _lease.is_abandoned(app.state_directory, app.lease):
            return False
        try:
            _tidy_up(run, app, caches)
        except JunoError as exc:
            # Into the file forkserver.errors, in the app's directory.
            sys.stderr.write(f"{_journal.now()} {exc.message}\n")
            sys.stderr.flush()
            wait(TRY_AGAIN_SECONDS)
        else:
            return True
    return False


def _tidy_up(run: Runner, app: App, caches: dict[str, t.Any]) -> None:
    _orphan.end(app.state_directory)
    _lease.require(app)
    recovered = _undo.recover(run, app)
    # Where nothing serves, as after a first deploy, the next one clears them.
    if recovered.get("serves", True) and _journal.owes_caches(_journal.read(app.journal)):
        clear(app, caches)
        with _lease.step(app, "a note in the journal"):
            _journal.settle_caches(app.journal)
    _lease.give_back(app.state_directory, app.lease)


def clear(app: App, caches: dict[str, t.Any]) -> None:
    """Clear the app's caches as its deploys do.

    :raises JunoError: they can't be cleared.
    """
    place = {"project": app.project, "docker_host": app.docker_host or None}
    policy = {name: caches.get(name, option["default"]) for name, option in _cachepolicy.ARGUMENTS.items()}
    if caches.get("method") == "memcached":
        params = {**_defaults(_memcached.ARGUMENTS), **place, "service": caches["service"], "port": caches["port"]}
        _clear_memcached(params, policy)
    elif caches.get("method") == "settings":
        more = {"command_arguments": [], "fail_if_uncleared": False, "timeout_seconds": 10, **policy}
        params = {**_defaults(_django.ARGUMENTS), **more, **place, "service": app.service}
        params |= {"settings": caches.get("settings"), "alias": caches.get("alias"), "command": caches.get("command")}
        places = _django.places(params)
        if params["command"]:
            _cacheflow.run_command(places[0], params, check_mode=False)
        else:
            _cacheflow.clear(places, params, check_mode=False)


def _clear_memcached(params: dict[str, t.Any], policy: dict[str, t.Any]) -> None:
    servers, options = _memcached.find_servers(params), _memcached.options_from(params)
    if policy["mode"] == "flush":
        _memcached_report.require_flushed(_memcached_flush.flush_servers(servers, options), {})
        return
    chosen = _memcached_select.Selection(keep=("sessions", *policy["keep"]))
    ended = _memcached_select.delete_selected([(server, chosen) for server in servers], options)
    failed = [one.message for one in ended if one.failed]
    if failed:
        raise JunoError(" ".join(failed))


def _defaults(spec: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    return {name: option.get("default") for name, option in spec.items()}
