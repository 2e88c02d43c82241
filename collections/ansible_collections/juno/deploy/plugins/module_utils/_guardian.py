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
    _cache_order,
    _journal,
    _lease,
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
        _cache_order.clear(app, caches)
        with _lease.step(app, "a note in the journal"):
            _journal.settle_caches(app.journal)
    _lease.give_back(app.state_directory, app.lease)
