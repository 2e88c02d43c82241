# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fork server as a real process, asked through its real socket by the clients that run on a host."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import time

import pytest
import yaml
from ansible_collections.juno.deploy.plugins.module_utils import _forkserver as it
from ansible_collections.juno.deploy.plugins.module_utils import _forkserver_main as _main
from ansible_collections.juno.deploy.plugins.module_utils import _lease, _package, _release
from ansible_collections.juno.deploy.plugins.module_utils._app import App
from ansible_collections.juno.deploy.plugins.module_utils._waiting import wait_for
from ansible_collections.juno.deploy.plugins.plugin_utils import _quick

LEASE = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"
#: Where the modules and Ansible itself are imported from here; on a host both are in the package.
ROOTS = [str(pathlib.Path(it.__file__).parents[5]), *sys.path]
COLLECTION = pathlib.Path(it.__file__).parents[2]
MODULE = """\
import os, sys
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"word": {"type": "str"}, "password": {"type": "str", "no_log": True}}, supports_check_mode=True)
module.warn("mind the gap")
module.exit_json(
    changed=True, word=module.params["word"], dry=module.check_mode, own=os.environ.get("OWN"), input=sys.stdin.read(),
    pid=os.getpid(), parent=os.getppid(), secret="it is " + (module.params["password"] or ""),
)
"""


def request(source=MODULE, environment=None, **arguments):
    asked = {"name": "it.py", "source": source, "arguments": arguments, "environment": environment or {}}
    return json.dumps(asked).encode()


@contextlib.contextmanager
def serving(directory, lease=LEASE, build=None):
    _lease.take(str(directory), _lease.claim(lease, "me@here", "deploy", {}))
    alive = pathlib.Path(_lease.alive_path(str(directory), lease))
    boot = f"import sys; sys.path[:0] = {ROOTS!r}\nfrom {_main.__name__} import serve\nserve(*sys.argv[1:])"
    app = App("/nosuch", directory.name, "web", (), (), "unix:///nosuch", str(directory.parent), lease)
    order = json.dumps({"app": dataclasses.asdict(app), "caches": {}, "build": build})
    with it.listen(str(directory), lease) as door:
        number = door.fileno()
        server = subprocess.Popen([sys.executable, "-c", boot, order, str(number)], pass_fds=(number,))
    try:
        yield server, alive
    finally:
        server.kill()
        server.wait()


def ask(directory, raw):
    command = _quick.to_server(_quick.Place(it.socket_path(str(directory), LEASE), sys.executable))
    return subprocess.run(shlex.split(command), input=raw, capture_output=True, check=False, timeout=60)


def test_it_runs_modules_as_ansible_does(tmp_path):
    with serving(tmp_path) as (server, _alive):
        done = ask(
            tmp_path, request(environment={"OWN": "here"}, word="ü", password="s3cret", _ansible_check_mode=True)
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        told = {key: result[key] for key in ("changed", "word", "dry", "own", "input", "parent", "secret")}
        assert told == {
            "changed": True,
            "word": "ü",
            "dry": True,
            "own": "here",
            "input": "",
            "parent": server.pid,
            "secret": "it is ********",
        }
        assert "mind the gap" in str(result["warnings"])
        again = json.loads(ask(tmp_path, request(word="more")).stdout)
        # A process of its own each time, which knows nothing of the one before.
        assert again["pid"] != result["pid"]
        assert again["own"] is None
        assert again["secret"] == "it is "


STARTER = f"""\
import json, os, sys
sys.path[:0] = {ROOTS!r}
from ansible_collections.juno.deploy.plugins.module_utils import _app, _forkserver, _lease, _package
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common import warnings
directory, lease, package = sys.argv[1:]
_lease.take(directory, _lease.claim(lease, "me@here", "deploy", {{}}))
_package.own = lambda: "kept"
warnings.warn("of the module that began")
kept_open = open("/etc/passwd")
app = _app.App("/nosuch", os.path.basename(directory), "web", (), (), "", os.path.dirname(directory), lease)
print(json.dumps(_forkserver.start(package, app, lease, {{}})))
"""


@pytest.mark.parametrize("package", ["kept", ROOTS[0]])
def test_it_is_a_fork_of_the_module_that_begins_or_a_process_of_its_own(tmp_path, package):
    argv = [sys.executable, "-c", STARTER, str(tmp_path), LEASE, package]
    # It holds nothing of its starter open, whose output would never end.
    begun = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20)
    assert json.loads(begun.stdout) == {"socket": it.socket_path(str(tmp_path), LEASE), "python": sys.executable}
    try:
        result = json.loads(ask(tmp_path, request(word="on")).stdout)
        assert result["word"] == "on"
        assert "of the module that began" not in str(result["warnings"])
        server = result["parent"]
        assert os.getsid(server) == server
        assert os.readlink(f"/proc/{server}/cwd") == "/"
        open_files = {os.readlink(f"/proc/{server}/fd/{name}") for name in os.listdir(f"/proc/{server}/fd")}
        assert {name.partition(":")[0] for name in open_files} == {
            os.devnull,
            str(tmp_path / "forkserver.errors"),
            "socket",
        }
    finally:
        _lease.give_back(str(tmp_path), LEASE)
    assert wait_for(lambda: not os.path.exists(f"/proc/{server}"), 20)
    assert not os.path.exists(it.socket_path(str(tmp_path), LEASE))
    assert (tmp_path / "forkserver.errors").read_text() == ""


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "raise RuntimeError('broken on purpose')",
            b'"failed": true, "msg": "it.py broke: RuntimeError: broken on purpose"',
        ),
        ("import nosuch", b"it.py broke: ModuleNotFoundError: No module named 'nosuch'"),
        ("import os; os.kill(os.getpid(), 9)", b""),
    ],
)
def test_a_module_that_breaks_is_told_and_breaks_nothing_else(tmp_path, source, says):
    with serving(tmp_path):
        assert says in ask(tmp_path, request(source)).stdout
        assert json.loads(ask(tmp_path, request(word="on")).stdout)["word"] == "on"


def test_it_builds_while_nobody_waits(tmp_path):
    outcome = tmp_path / f"forkserver-{LEASE[:12]}.build"
    order = _release.BuildOrder("8f5d0b1c", True, ("true",), 5, 5)
    with serving(tmp_path, build=dataclasses.asdict(order)):
        assert wait_for(outcome.exists, 20)
        told = json.loads(outcome.read_text(encoding="utf-8"))
        # There is no Engine to build with, and that is what it found.
        assert told["order"]["commit"] == "8f5d0b1c"
        assert "/nosuch" in told["message"]


def test_one_that_hangs_up_disturbs_nobody(tmp_path):
    with serving(tmp_path), socket.socket(socket.AF_UNIX) as link:
        link.connect(it.socket_path(str(tmp_path), LEASE))
        link.sendall(b'{"name":')
        link.close()
        assert json.loads(ask(tmp_path, request(word="on")).stdout)["word"] == "on"


def test_only_its_owner_may_ask(tmp_path):
    with serving(tmp_path):
        assert os.stat(it.socket_path(str(tmp_path), LEASE)).st_mode & 0o777 == 0o600


def test_it_ends_with_the_lease(tmp_path):
    with serving(tmp_path) as (server, _alive):
        _lease.give_back(str(tmp_path), LEASE)
        assert server.wait(timeout=20) == 0
        assert not os.path.exists(it.socket_path(str(tmp_path), LEASE))


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "cut off"])
def test_it_tidies_up_when_the_controller_has_died(tmp_path, killed):
    with serving(tmp_path) as (server, alive):
        then = time.time() - _lease.SILENT_SECONDS - 1
        if killed:
            alive.unlink()
        else:
            os.utime(alive, (then, then))
        assert server.wait(timeout=20) == 0
        # Nothing was half done, so all there is to tidy up is the lease.
        assert _lease.read(str(tmp_path)) is None


def test_nobody_is_there(tmp_path):
    assert ask(tmp_path, request()).returncode in _quick.NOT_HERE


def package(tmp_path, **files):
    """Make a kept package whose imports come from this machine's own places."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name, text in {"python": sys.executable, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def by_package(folder, raw):
    argv = shlex.split(_quick.by_package(sys.executable, folder))
    paths = os.pathsep.join(path for path in ROOTS if path)
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(argv, input=raw, env=environment, capture_output=True, check=False, timeout=60)


def test_a_kept_package_runs_modules_too(tmp_path):
    done = by_package(package(tmp_path), request(word="kept"))
    assert json.loads(done.stdout)["word"] == "kept", done.stderr


@pytest.mark.parametrize("other", ["/usr/bin/another-python", ""])
def test_a_package_of_another_python_is_left_alone(tmp_path, other):
    assert by_package(package(tmp_path, python=other), request()).returncode in _quick.NOT_HERE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_package_of_another_user_is_left_alone(tmp_path):
    folder = package(tmp_path)
    os.chown(folder, 65534, 65534)
    assert by_package(folder, request()).returncode in _quick.NOT_HERE


def test_no_package_is_kept(tmp_path):
    assert by_package(str(tmp_path / "nosuch"), request()).returncode in _quick.NOT_HERE


def imported(path):
    """Name the cores that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ansible_collections."):
            last = node.module.rpartition(".")[2]
            yield from [name.name for name in node.names] if last == "module_utils" else [last]


def test_all_that_the_modules_import_is_warm():
    """What is missing here is missing in the package, and the module would fail on the host."""
    routed = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text(encoding="utf-8"))["plugin_routing"]["modules"]
    boot = f"import sys; sys.path[:0] = {ROOTS!r}\nfrom {_package.__name__} import load\nload()\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", boot], capture_output=True, text=True, check=True).stdout.split()
    names = {name.rpartition(".")[2] for name in loaded if ".juno.deploy.plugins.module_utils." in name}
    wanted = {
        name
        for module in (*routed, "release_begin", "release_build")
        for name in imported(COLLECTION / f"plugins/modules/{module}.py")
    }
    assert wanted
    assert wanted - names == set()
    assert "ansible.module_utils.basic" in loaded
