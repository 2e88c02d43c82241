# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: find its settings, or tell why this can't be released.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import before_apps, emit, prepare

#: Return code of a child that told a failure, and of one that could not find the app's settings.
FAILED = 95
NOT_LOOKED = 96


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
    """Return why this can't be released, and leave."""
    emit(request, "failure:" + step, {"what": what, "cause": cause})
    raise SystemExit(FAILED)
