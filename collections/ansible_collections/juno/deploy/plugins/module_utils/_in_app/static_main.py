# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: collectstatic through the app's manage.py.

Private to juno.deploy: no stable interface.
See _in_app.manage for the limits of such a module, and _in_app.static_collect for the work.
"""

import importlib
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import emit, prepare, run_manage
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_collect import collect


def main(request: "dict[str, t.Any]") -> None:
    """Run manage.py; where it would run its command, collect safely by means of it, and tell what that did."""
    prepare(request)
    base = importlib.import_module("django.core.management.base").BaseCommand
    original = base.run_from_argv
    options = request["static"]

    def run_from_argv(command: t.Any, argv: "list[str]") -> None:
        # What is staged in a dry run is thrown away; only a storage that is left to Django needs Django's own.
        plain = [word for word in argv if word != "--dry-run"] if options["dry"] else argv
        result = collect(lambda: original(command, plain), options, command, lambda: original(command, argv))
        emit(request, "static", result)

    base.run_from_argv = run_from_argv
    run_manage(request)
