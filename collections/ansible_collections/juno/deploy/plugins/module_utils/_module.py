# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a JunoError becomes a failed result. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import errno
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.basic import AnsibleModule


def run(module: AnsibleModule, work: Callable[[AnsibleModule], dict[str, t.Any]]) -> None:
    """Call C(work(module)) and leave with its result, or with the message and figures of a JunoError."""
    try:
        result = work(module)
    except JunoError as exc:
        masking.learn_settings_of(module.params)
        module.fail_json(**masking.hide_all({"msg": exc.message, **exc.details}))
    except Exception as exc:
        if not (reason := foreseen(exc)):
            raise
        module.fail_json(msg=masking.hide(reason))
    for one in result.pop("warnings", []):
        module.warn(one)
    module.exit_json(**result)


def foreseen(exc: Exception) -> str:
    """Return what an error means that may come from anywhere; nothing for one that nobody foresaw.

    An Engine may end at any moment, and the SDK raises then what it likes.
    """
    return engine.failure(exc) or _no_room(exc)


def _no_room(exc: Exception) -> str:
    """Return what a full disk means that is met anywhere; nothing for any other error."""
    if not isinstance(exc, OSError) or exc.errno != errno.ENOSPC:
        return ""
    where = exc.filename or "what this step writes"
    return f"No room is left on this host for {where}: free disk space (df -h tells where), then run this again."
