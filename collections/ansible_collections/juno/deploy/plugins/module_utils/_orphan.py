# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead controller left running: a module goes on without it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib

from ansible_collections.juno.deploy.plugins.module_utils import _lock, _processes
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

#: It may end by itself within this time. With the time that a lease needs to be dead, all stays below a minute.
GRACE_SECONDS = 10.0
#: For a TERM, then for a KILL.
PATIENCE_SECONDS = 4.0

_WHAT = "the wait for what a dead controller left running"


def end(directory: str, grace_seconds: float = GRACE_SECONDS, patience_seconds: float = PATIENCE_SECONDS) -> str:
    """Wait until nothing holds an app's lock, and end what goes on holding it; say what was ended.

    :raises JunoError: it can't be ended.
    """
    with contextlib.suppress(_lock.BusyError), _lock.held(directory, _WHAT, grace_seconds):
        return ""
    orphan, process = _lock.last_holder(directory)
    if process:
        try:
            _processes.end(process, patience_seconds)
        except PermissionError as exc:
            raise JunoError(
                f"A dead controller left {orphan}, running as another user: end it, or deploy as root. "
                "Nothing was changed."
            ) from exc
    # Where no process is known, the error of this wait says what there is.
    with _lock.held(directory, _WHAT, patience_seconds):
        return orphan
