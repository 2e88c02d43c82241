# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: do the settings take the caches' VERSION from the environment?

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

The settings are evaluated a second time, in a fresh process of the same interpreter with another value. That process
imports nothing of the app but its settings module: no app is loaded and no cache is opened.
"""

import json
import os
import random
import sys
import time
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import Command

#: The child. What it tells is on a line that begins with a token, since settings may print.
CHILD = (
    "import json,os,signal,sys\n"
    "token,path,seconds=json.loads(sys.argv[1])\n"
    "signal.alarm(seconds)\n"
    "sys.path[:]=path\n"
    "from django.conf import settings\n"
    "one=lambda conf: conf.get('VERSION',1)\n"
    "told={alias:[str(one(conf)),type(one(conf)).__name__] for alias,conf in settings.CACHES.items()}\n"
    "sys.stdout.write('\\n'+token+' '+json.dumps(told)+'\\n')\n"
    "sys.stdout.flush()\n"
    "os._exit(0)\n"
)


class SecondEvaluation:
    """A second evaluation of the settings, which runs beside other work until its answer is asked for."""

    def __init__(self, variable: str, seconds: float) -> None:
        """Start it, with a value of its own in the environment variable.

        DJANGO_SETTINGS_MODULE must be set, and modules must be found as the app finds them.
        """
        self.variable, self.seconds = variable, seconds
        self.value = str(another(os.environ.get(variable, "")))
        self.token = "juno-" + uuid.uuid4().hex
        argument = json.dumps([self.token, [entry or os.getcwd() for entry in sys.path], max(1, round(seconds))])
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **{variable: self.value})
        self.child = Command([sys.executable, "-c", CHILD, argument], seconds, environment)

    def collect(self) -> "dict[str, t.Any]":
        """Wait for its answer: C(honoured) and C(types) for each alias, or C(error)."""
        ended = self.child.result()
        for line in ended["stdout"].splitlines():
            if line.startswith(self.token + " "):
                return dict(judge(json.loads(line.split(" ", 1)[1]), self.value), variable=self.variable)
        if ended["rc"] in (-14, 142):
            error = f"the settings were not loaded within {self.seconds:g} s"
        else:
            said = [line.strip() for line in ended["stderr"].splitlines() if line.strip()]
            error = said[-1] if said else "the process ended with {} and printed nothing".format(ended["rc"])
        return {"variable": self.variable, "honoured": {}, "types": {}, "error": error}


def another(now: str) -> int:
    """Return a number that is no version by chance: of the size that a deploy's have, and not the one set now."""
    value = int(time.time()) + random.randrange(1, 1000000)  # noqa: S311 - nothing is protected by it
    return value + 1 if str(value) == now.strip() else value


def judge(versions: "dict[str, list[str]]", value: str) -> "dict[str, t.Any]":
    """Return which caches have the value as their VERSION, and what Python type that has then."""
    same = {alias: version == value for alias, (version, _kind) in versions.items()}
    return {"honoured": same, "types": {alias: kind for alias, (_version, kind) in versions.items()}, "error": ""}


def honoured(variable: str, seconds: float) -> "dict[str, bool]":
    """Return for each alias whether its VERSION is what the environment variable says.

    :raises RuntimeError: the settings could not be loaded a second time.
    """
    result = SecondEvaluation(variable, seconds).collect()
    if result["error"]:
        raise RuntimeError(result["error"])
    return dict(result["honoured"])
