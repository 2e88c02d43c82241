# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interpreter, port and process are asked; real ones are in the integration target django_info."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.server_processes import Process
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import Place
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info as core
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_server
from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_server import Listener

INSIDE = Place("the container shop-web-1", ("python", "python3"), True, lambda *_: None)  # type: ignore[arg-type]
HERE = Place("/srv/shop", ("/venv/bin/python",), False, lambda *_: None)  # type: ignore[arg-type]
ALL, LOOP = "0.0.0.0", "127.0.0.1"


@pytest.mark.parametrize(
    ("listeners", "address", "exposed", "asked", "port", "why"),
    [
        ([Listener(ALL, 8000)], "172.17.0.2", (), None, 8000, ""),
        ([Listener(ALL, 8000)], "172.17.0.2", (), 9000, 9000, ""),
        ([Listener(ALL, 7000), Listener(ALL, 8000)], "172.17.0.2", (8000,), None, 8000, ""),
        ([Listener(ALL, 7000), Listener(LOOP, 8000)], "172.17.0.2", (8000,), None, 7000, ""),
        ([Listener(LOOP, 8000)], "172.17.0.2", (), None, 0, "loopback address only"),
        ([Listener(LOOP, 8000)], LOOP, (), None, 8000, ""),
        ([], "172.17.0.2", (8000,), None, 8000, ""),
        ([], "172.17.0.2", (8000, 9000), None, 0, "set the option 'port'"),
        ([], "172.17.0.2", (), None, 0, "set the option 'port'"),
    ],
)
def test_the_port_of_a_container(listeners, address, exposed, asked, port, why):
    target = core.Target(INSIDE, [], address, exposed)
    found, words = core.choose_port(listeners, target, asked)
    assert found == port
    assert why in words
    assert bool(words) == bool(why)


def test_the_port_of_an_app_on_the_host():
    assert core.choose_port([Listener(LOOP, 8000)], core.Target(HERE, [], LOOP), None) == (8000, "")


def server(*argv: str) -> django_info_server.Server:
    return django_info_server.Server("gunicorn", Process(7, 1, argv), 2, (7,))


@pytest.mark.parametrize(
    ("found", "params", "pythons"),
    [
        (
            server("/opt/venv/bin/python3.13", "/opt/venv/bin/gunicorn"),
            {},
            ("/opt/venv/bin/python3.13", "python", "python3"),
        ),
        (server("/opt/venv/bin/python", "x"), {"python": "python3"}, ("python", "python3")),
        (server("gunicorn: master [x]"), {}, ("python", "python3")),
        (server("python3", "manage.py"), {}, ("python", "python3")),
        (server("/usr/bin/uwsgi"), {}, ("python", "python3")),
        (server(), {}, ("python", "python3")),
        (None, {}, ("python", "python3")),
    ],
)
def test_the_interpreter_is_the_servers(found, params, pythons):
    assert core.pythons(INSIDE, found, {"virtualenv": None, "python": None, **params}) == pythons


def test_processes_of_an_app_on_the_host_are_those_that_work_in_its_folder(tmp_path):
    (tmp_path / "shop" / "below").mkdir(parents=True)
    (tmp_path / "shop2").mkdir()
    children = {}
    for name in ("shop", "shop/below", "shop2"):
        argv = [sys.executable, "-c", "input()"]
        children[name] = subprocess.Popen(argv, cwd=tmp_path / name, stdin=subprocess.PIPE)
    try:
        found = {one.pid for one in core.processes_in(str(tmp_path / "shop"))}
    finally:
        for child in children.values():
            child.communicate(b"\n")
    assert found == {children["shop"].pid, children["shop/below"].pid}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timeout_seconds": 0}, "timeout_seconds is 0"),
        ({"timeout_seconds": -1}, "timeout_seconds is -1"),
        ({"paths": ["jobs"]}, "'jobs' is no path"),
        ({"port": 0}, "port is 0"),
        ({"port": 65536}, "port is 65536"),
        ({"cache_version_variable": "A B"}, "'A B' is not a valid name of an environment variable"),
        ({"cache_version_variable": "1A"}, "'1A' is not a valid name"),
    ],
)
def test_bad_input(changes, words):
    params = {"timeout_seconds": 5, "paths": ["/"], "port": None, "cache_version_variable": "CACHE_VERSION", **changes}
    with pytest.raises(BadInputError, match=words):
        core.look(params)


def test_this_process_is_known_by_its_own_id():
    mine = django_info_server.Server("gunicorn", Process(os.getpid(), 1, ()), 1, (os.getpid(),))
    assert core.pid_inside(mine) == os.getpid()
    assert core.pid_inside(None) == 0
    gone = django_info_server.Server("gunicorn", Process(2**22 + 1, 1, ()), 1, ())
    assert core.pid_inside(gone) == 0
