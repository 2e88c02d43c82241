# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module whose source and arguments a controller has sent. Private to juno.deploy: no stable interface.

The module sees what it sees when Ansible runs it from a package of its own: arguments, environment, no input, and what
it prints is its result.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import types
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _secrets


def basic() -> t.Any:
    """Load Ansible's part of every module."""
    from ansible.module_utils import basic as loaded

    return loaded


def _forget_warnings() -> None:
    """Forget those of the module that this process may be a fork of."""
    from ansible.module_utils.common import warnings

    warnings._global_warnings.clear()
    warnings._global_deprecations.clear()


def run(request: dict[str, t.Any]) -> int:
    """Run the module of a request in this process, which has no other purpose; give its exit code.

    The request has C(name), C(source), C(arguments), and the C(environment) variables of the task.
    """
    os.environ.update(request["environment"])
    ansible = basic()
    ansible._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": request["arguments"]}).encode()
    # How arguments and results are written; ansible-core before 2.19 knows one way only, and doesn't look.
    ansible._ANSIBLE_PROFILE = "legacy"
    _forget_warnings()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    code = 0
    try:
        exec(compile(request["source"], request["name"], "exec"), main.__dict__)  # noqa: S102 - that is its purpose
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except Exception as exc:  # noqa: BLE001 - the process ends here, and the controller shows what is told
        what = "".join(traceback.format_exception_only(type(exc), exc)).strip()
        failed = {"failed": True, "msg": f"{request['name']} broke: {what}", "exception": traceback.format_exc()}
        sys.stdout.write(json.dumps(_secrets.hide_all(failed)))
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def main() -> t.NoReturn:
    """Run the module of the request on standard input."""
    request = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    # Not by sys.exit: there is nothing left to do, and to take all modules down takes a while.
    os._exit(run(request))
