# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server it is, and where it listens, from what the kernel tells."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.server_processes import Process
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_server as core

GUNICORN = ("/venv/bin/python", "/venv/bin/gunicorn", "-w", "2", "shop.wsgi")
SPAWNED = ("python3", "-c", "from multiprocessing.spawn import spawn_main; spawn_main()", "--multiprocessing-fork")
TRACKER = ("python3", "-c", "from multiprocessing.resource_tracker import main;main(4)")
#: Of a container with memcached on all addresses, gunicorn on IPv4 and IPv6, and an open connection.
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2BCB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 000000003f0 100 0 0
   1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 000000003f0 100 0 0
   2: 020011AC:1F40 010011AC:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 103 1 000000003f0 100 0 0
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 104 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 105 1 0 100 0 0 10 0
"""


@pytest.mark.parametrize(
    ("argv", "kind"),
    [
        (GUNICORN, "gunicorn"),
        (("gunicorn: master [shop.wsgi]",), "gunicorn"),
        (("python", "-m", "gunicorn", "shop.wsgi"), "gunicorn"),
        (("python", "-m", "uvicorn.main", "shop.asgi:application"), "uvicorn"),
        (("/usr/bin/uwsgi", "--ini", "u.ini"), "uwsgi"),
        (("python", "/venv/bin/waitress-serve", "shop.wsgi:application"), "waitress"),
        (("python", "-m", "waitress", "shop.wsgi:application"), "waitress"),
        (("python", "manage.py", "runserver", "0:8000"), "runserver"),
        (("/venv/bin/python3", "manage.py", "runserver", "--noreload"), "runserver"),
        (("python", "manage.py", "migrate"), ""),
        (("python", "-m", "http.server"), ""),
        (("python", "-m"), ""),
        (("/bin/sh", "-c", "python manage.py runserver"), ""),
        (("sh", "-c", "migrate && gunicorn shop.wsgi"), ""),
        ((), ""),
    ],
)
def test_kinds(argv, kind):
    assert core.kind_of(Process(1, 0, argv)) == kind


SHELL = Process(100, 1, ("sh", "-c", "migrate && serve"))


def below(parent: int, *argvs: tuple[str, ...]) -> list[Process]:
    return [Process(parent + number, parent, argv) for number, argv in enumerate(argvs, 1)]


@pytest.mark.parametrize(
    ("processes", "kind", "master", "workers"),
    [
        ([SHELL, Process(120, 100, GUNICORN), *below(120, GUNICORN, GUNICORN)], "gunicorn", 120, 2),
        ([Process(120, 100, GUNICORN), *below(120, *[GUNICORN] * 10)], "gunicorn", 120, 10),
        ([*below(120, GUNICORN, GUNICORN), Process(120, 100, GUNICORN)], "gunicorn", 120, 2),
        ([Process(1, 0, ("python", "/bin/uvicorn", "a:b"))], "uvicorn", 1, 1),
        ([Process(1, 0, ("python", "/bin/uvicorn", "a:b")), *below(1, TRACKER, SPAWNED, SPAWNED)], "uvicorn", 1, 2),
        (
            [Process(5, 1, ("python", "manage.py", "runserver")), *below(5, ("python", "manage.py", "runserver"))],
            "runserver",
            5,
            1,
        ),
    ],
)
def test_the_server_among_the_processes(processes, kind, master, workers):
    found = core.find(processes)
    assert (found.kind, found.master.pid, found.workers) == (kind, master, workers)
    assert found.pids[0] == master


@pytest.mark.parametrize("processes", [[], [SHELL], [Process(1, 0, ("nginx",))]])
def test_no_server(processes):
    assert core.find(processes) is None
    result = core.describe(None, "the container shop", print, proxy=True)
    assert result["kind"] == ""
    assert "runs in the container shop" in result["error"]


@pytest.mark.parametrize(
    ("argv", "module"),
    [
        (GUNICORN, "shop.wsgi"),
        (("python", "/bin/gunicorn", "shop.wsgi:application", "-w", "2"), "shop.wsgi"),
        (("python", "/bin/gunicorn", "-k", "uvicorn.workers.UvicornWorker", "shop.asgi"), "shop.asgi"),
        (("python", "/bin/gunicorn", "shop:make_app()"), "shop"),
        (("python", "/bin/uvicorn", "shop.asgi:app", "--log-config", "log.ini"), "shop.asgi"),
        (("gunicorn: master [shop.wsgi]",), ""),
        (("python", "/bin/gunicorn", "-b", "0.0.0.0:8000", "-c", "conf.py"), ""),
        (("python", "manage.py", "runserver"), ""),
    ],
)
def test_the_application_in_a_command_line(argv, module):
    assert core.application(argv) == module


def test_listening_sockets():
    assert {inode: (one.address, one.port) for inode, one in core.parse_listeners(TCP).items()} == {
        "101": ("127.0.0.1", 11211),
        "102": ("0.0.0.0", 8000),
    }
    assert {inode: (one.address, one.port) for inode, one in core.parse_listeners(TCP6).items()} == {
        "104": ("::", 80),
        "105": ("::1", 81),
    }
    assert core.parse_listeners("") == {}


def test_the_sockets_of_this_process():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        assert core.Listener("127.0.0.1", server.getsockname()[1]) not in core.listeners([os.getpid()])
        server.listen()
        # One that ended meanwhile is passed over.
        assert core.Listener("127.0.0.1", server.getsockname()[1]) in core.listeners([os.getpid(), 2**22 + 1])


@pytest.mark.parametrize(
    ("address", "loopback"), [("127.0.0.1", 1), ("127.1.2.3", 1), ("::1", 1), ("::", 0), ("10.0.0.1", 0)]
)
def test_loopback(address, loopback):
    assert core.Listener(address, 80).is_loopback == bool(loopback)


@pytest.mark.parametrize(
    ("status", "pid"),
    [
        ("Name:\tpython\nNSpid:\t4711\t7\nThreads:\t1\n", 7),
        ("NSpid:\t4711\t170\t10\n", 10),
        ("NSpid:\t4711\n", 4711),
        ("Name:\tpython\n", 0),
    ],
)
def test_the_process_id_inside(status, pid):
    assert core.pid_inside(status) == pid


def described(*words: str, proxy: bool = True, answer: str = "") -> dict:
    """Describe a gunicorn with these words; its process is this one, so that its files can be read."""
    server = core.Server("gunicorn", Process(os.getpid(), 1, (*GUNICORN[:2], *words)), 3, (os.getpid(),))
    return core.describe(server, "shop-web-1", lambda _argv: answer, proxy=proxy)


def test_a_gunicorn(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = described("--threads", "10", "shop.wsgi")
    assert (result["worker_class"], result["threads"], result["preload"], result["autoreload"]) == (
        "gthread",
        10,
        False,
        False,
    )
    assert (result["workers"], result["reload"], result["reload_reason"]) == (3, True, "")
    assert "no proxy stands before them" in described("--threads", "10", proxy=False)["reload_reason"]
    preloads = described("-c", "g.py", answer="juno-gunicorn True sync 1 True False\n")
    assert (preloads["preload"], preloads["autoreload"], preloads["reload"]) == (True, True, False)
    silent = described("-c", "g.py")
    assert (silent["worker_class"], silent["reload_reason"]) == (
        None,
        "gunicorn in shop-web-1 would not tell its settings",
    )


def test_a_gunicorn_that_cannot_be_looked_at():
    gone = core.Server("gunicorn", Process(2**22 + 1, 1, GUNICORN), 3, (2**22 + 1,))
    result = core.describe(gone, "shop-web-1", lambda _argv: "", proxy=True)
    assert "can't be looked at" in result["error"]
    assert (result["workers"], result["reload"]) == (3, False)


@pytest.mark.parametrize(
    ("kind", "words", "autoreload"),
    [
        ("runserver", ("manage.py", "runserver"), True),
        ("runserver", ("manage.py", "runserver", "--noreload"), False),
        ("uvicorn", ("uvicorn", "a:b", "--reload"), True),
        ("uvicorn", ("uvicorn", "a:b"), False),
        ("uwsgi", ("uwsgi",), None),
    ],
)
def test_other_servers(kind, words, autoreload):
    result = core.describe(
        core.Server(kind, Process(9, 1, ("python", *words)), 1, (9,)), "x", lambda _argv: "", proxy=True
    )
    assert (result["autoreload"], result["reload"]) == (autoreload, False)
    assert result["reload_reason"] == f"it is {kind}, not gunicorn"
