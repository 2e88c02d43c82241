# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: start its manage.py and watch it. Private to juno.deploy: no stable interface.

The modules of C(_in_app) are sent as source to the app's Python (3.6 or later, Django 2.1 or later), so they use the
standard library and Django only, and no syntax younger than 3.6.

The app's own C(manage.py) is run, not a copy of what it usually does: it may load an env file before the settings.
"""

import importlib
import json
import os
import runpy
import signal
import sys
import typing as t

#: Return code when the in-app code could not import Django. Django itself ends with 0, 1 or 2.
NO_DJANGO = 93
#: Return code when it found neither manage.py nor the name of a settings module.
NO_SETTINGS = 94
#: The name of lines that say what is being done just now.
NOW = "now"


def emit(request: "dict[str, t.Any]", name: str, value: "dict[str, t.Any]") -> None:
    """Print a value on a line of its own that only the sender of C(request) can tell from the app's output."""
    sys.stdout.flush()
    sys.__stdout__.write("\n{} {} {}\n".format(request["token"], name, json.dumps(value)))  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def say(request: "dict[str, t.Any]", words: str) -> None:
    """Print what is being done just now, for whoever watches."""
    emit(request, NOW, {"words": words})


def find_modules(request: "dict[str, t.Any]") -> None:
    """Have modules found where C(python manage.py) finds them."""
    sys.path[0] = os.path.dirname(os.path.abspath(request["manage_py"]))


def prepare(request: "dict[str, t.Any]") -> None:
    """Set up what C(python manage.py) would, and make sure that this process ends."""
    # Nobody outside can end a process that docker exec started: the default action of SIGALRM does.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(request["timeout_seconds"])
    find_modules(request)
    sys.argv = [request["manage_py"]] + request["arguments"]
    if request["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
    try:
        importlib.import_module("django")
    except ImportError as exc:
        emit(request, "no_django", {"cause": str(exc), "python": sys.executable})
        raise SystemExit(NO_DJANGO) from exc


def run_manage(request: "dict[str, t.Any]") -> None:
    """Run manage.py with the arguments of the request, as C(__main__)."""
    if os.path.isfile(request["manage_py"]):
        runpy.run_path(request["manage_py"], run_name="__main__")
    elif os.environ.get("DJANGO_SETTINGS_MODULE"):
        importlib.import_module("django.core.management").execute_from_command_line(sys.argv)
    else:
        emit(request, "no_settings", {"manage_py": os.path.abspath(request["manage_py"])})
        raise SystemExit(NO_SETTINGS)


def before_apps(request: "dict[str, t.Any]", work: "t.Callable[[], None]") -> None:
    """Call C(work) with the app's settings at hand, in place of a management command: no app is loaded."""
    done: list[bool] = []

    def execute(_utility: object) -> None:
        if request["settings"]:
            os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
        done.append(True)
        work()

    importlib.import_module("django.core.management").ManagementUtility.execute = execute
    try:
        run_manage(request)
    except SystemExit:
        if not done:
            raise
    if not done:
        raise RuntimeError("{} ended without a call of Django's command line".format(request["manage_py"]))


def around_command(before: "t.Callable[[t.Any], t.Any]", after: "t.Callable[[t.Any], t.Any]" = lambda _: None) -> None:
    """Have C(before) and C(after) called around the management command that manage.py is going to run."""
    base = importlib.import_module("django.core.management.base").BaseCommand
    original = base.run_from_argv

    def run_from_argv(command: t.Any, argv: "list[str]") -> None:
        before(command)
        try:
            original(command, argv)
        finally:
            after(command)

    base.run_from_argv = run_from_argv
