# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a module's source and arguments to what waits for them on the host. Private to juno.deploy.

Two things there take them: the fork server of a deploy (C(_forkserver)), and Python itself, from the package that an
earlier run left (C(_package)). Where neither is, the caller lets Ansible do it in its own way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import inspect
import json
import os
import shlex
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.release import __version__ as ansible_version
from ansible.utils.display import Display
from ansible.vars.clean import remove_internal_keys
from ansible_collections.juno.deploy.plugins.module_utils import _journal, _package

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

    TaskVars = dict[str, t.Any] | None

_DISPLAY = Display()
#: What a client returns when it can't do it. sudo and ssh have other codes, and 127 is the shell's for no such program.
NOT_HERE = (45, 127)
#: Carries standard input to the fork server, and the answer back.
_TO_SERVER = f"""\
import socket, sys
link = socket.socket(socket.AF_UNIX)
try:
    link.connect(sys.argv[1])
except OSError:
    sys.exit({NOT_HERE[0]})
link.sendall(sys.stdin.buffer.read())
link.shutdown(socket.SHUT_WR)
while True:
    chunk = link.recv(65536)
    if not chunk:
        break
    sys.stdout.buffer.write(chunk)
"""
#: Runs it right here, from the package; not from one that is another user's, nor by another Python.
_BY_PACKAGE = f"""\
import os, sys
package = sys.path[0] = sys.argv[1]
try:
    with open(package + '/python') as file:
        mine = os.stat(package).st_uid == os.geteuid() and file.read() == sys.executable
    if not mine:
        sys.exit({NOT_HERE[0]})
    from ansible_collections.juno.deploy.plugins.module_utils import _run_module
except (OSError, ImportError):
    sys.exit({NOT_HERE[0]})
_run_module.main()
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a fork server listens on the host, and its Python."""

    socket: str
    python: str


def to_server(place: Place) -> str:
    """Build the command that hands a request to a fork server."""
    return shlex.join([place.python, "-I", "-S", "-c", _TO_SERVER, place.socket])


def by_package(python: str, directory: str) -> str:
    """Build the command that runs a request from a kept package."""
    return shlex.join([python, "-c", _BY_PACKAGE, directory])


@functools.lru_cache(maxsize=1)
def digest() -> str:
    """Name what our modules are made of: this version of Ansible and the files of our own."""
    told = hashlib.sha256(ansible_version.encode())
    folder = os.path.dirname(_package.__file__)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                told.update(name.encode() + b"\0" + file.read() + b"\0")
    return told.hexdigest()[:24]


def run(action: ActionBase, name: str, args: dict[str, t.Any], task_vars: TaskVars) -> dict[str, t.Any] | None:
    """Give the result of a module, by a fork server or else by a kept package; nothing when there is neither."""
    if action._task.async_val or not action._is_pipelining_enabled("new"):
        return None
    request = _request(action, name, dict(args), task_vars)
    place = read(action, task_vars)
    if request and place:
        done = action._low_level_execute_command(to_server(place), in_data=request)
        if done["rc"] not in NOT_HERE:
            _DISPLAY.vvv(f"{name} was run by the fork server", host=action._play_context.remote_addr)
            return _parsed(action, done)
        forget(action, task_vars)
    root = str(args.get("state_root") or _journal.STATE_ROOT)
    if not request or not os.path.isabs(root):
        return None
    command = by_package(_python(task_vars), _package.directory_of(root, digest()))
    done = action._low_level_execute_command(command, in_data=request)
    if done["rc"] in NOT_HERE:
        return None
    _DISPLAY.vvv(f"{name} was run from the package that is kept", host=action._play_context.remote_addr)
    return _parsed(action, done)


def _python(task_vars: TaskVars) -> str:
    """Give the host's Python if the inventory names it, else the one that Ansible is most likely to find."""
    named = str((task_vars or {}).get("ansible_python_interpreter") or "")
    return named if named.startswith("/") else "/usr/bin/python3"


def _request(action: ActionBase, name: str, args: dict[str, t.Any], task_vars: TaskVars) -> bytes:
    """Write the request; nothing when an argument can't be written as it is."""
    environment: dict[str, t.Any] = {}
    action._compute_environment_string(environment)
    action._update_module_args(name, args, task_vars)
    path = action._shared_loader_obj.module_loader.find_plugin(name)
    if not path:
        raise AnsibleError(f"The module {name} was not found.")
    with open(path, encoding="utf-8") as file:
        source = file.read()
    request = {
        "name": os.path.basename(path),
        "source": source,
        "arguments": args,
        "environment": {key: str(value) for key, value in environment.items()},
    }
    try:
        return json.dumps(request).encode()
    except TypeError:  # a kind that only Ansible's own way knows
        return b""


def _parsed(action: ActionBase, done: dict[str, t.Any]) -> dict[str, t.Any]:
    """Read a module's result as Ansible does."""
    # Since ansible-core 2.19 that is told how the result is written.
    told = ("legacy",) if len(inspect.signature(action._parse_returned_data).parameters) > 1 else ()
    data: dict[str, t.Any] = action._parse_returned_data(done, *told)
    remove_internal_keys(data)
    for stream in ("stdout", "stderr"):
        if stream in data:
            data.setdefault(f"{stream}_lines", (data[stream] or "").splitlines())
    return data


def _note(action: ActionBase, task_vars: TaskVars) -> str:
    """Name the file that says where a host's fork server listens, for the user on it that it runs as.

    Each task is a process of its own; what they share is the folder that ansible-playbook removes when it ends.
    """
    context, host = action._play_context, action._task.delegate_to or (task_vars or {}).get("inventory_hostname", "")
    become = (context.become_user or "root") if context.become else ""
    who = [str(one) for one in (host, action._connection.transport, context.remote_addr, context.remote_user, become)]
    name = hashlib.sha256(json.dumps(who).encode()).hexdigest()[:16]
    return os.path.join(constants.DEFAULT_LOCAL_TMP, f"juno-forkserver-{name}.json")


def write(action: ActionBase, task_vars: TaskVars, place: Place) -> None:
    """Note where a host's fork server listens."""
    with open(_note(action, task_vars), "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(place), file)


def read(action: ActionBase, task_vars: TaskVars) -> Place | None:
    """Give the fork server of a task's host, if one was noted."""
    try:
        with open(_note(action, task_vars), encoding="utf-8") as file:
            return Place(**json.load(file))
    except FileNotFoundError:
        return None


def forget(action: ActionBase, task_vars: TaskVars) -> None:
    """Take the note away: nobody listens there any more."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_note(action, task_vars))
