# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps in real processes."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config, registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import step_process, steps
from ansible_collections.juno.deploy.plugins.module_utils._state import lock


class Release:
    """What the steps of these tests need of a release."""

    def __init__(self, path):
        self.path = path
        self.app = app_app.App("/root/x", "jobs", "web", (), (), "", path)


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Return what begins a step that is a function of a test."""
    begun = []

    def start(work, args=None, **more):
        monkeypatch.setitem(steps.STEPS, "build", work)
        begun.append(step_process.start(Release(str(tmp_path)), "build", args or {}, **more))
        return begun[-1]

    yield start
    for one in begun:
        if not one.ended:
            processes.end(one.process, 0)
            finish(one)


def finish(step):
    """Read until it has ended."""
    while not step.ended:
        step.read()
    return step


def open_files():
    return sorted(os.listdir("/dev/fd"))


def test_a_result(do):
    before = open_files()
    step = do(lambda release, args: {"path": release.path, **args}, {"a": 1})
    assert not step.ended
    assert step.pipe >= 0
    finish(step)
    assert step.result["a"] == 1
    assert step.failure is None
    assert step.events == []
    assert open_files() == before
    with pytest.raises(ChildProcessError):  # nothing is left of it
        os.waitpid(step.process.pid, os.WNOHANG)


@pytest.mark.parametrize(("name", "has"), [("build", True), ("begin", False)])
def test_a_step_has_the_logins_that_the_begin_writes(do, tmp_path, monkeypatch, name, has):
    monkeypatch.setenv("DOCKER_CONFIG", "/before")
    release = Release(str(tmp_path))
    login = {"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}
    registry_logins.write(release.app, [login])
    monkeypatch.setenv("DOCKER_CONFIG", "/before")
    monkeypatch.setitem(steps.STEPS, name, lambda *_any: {"config": os.environ["DOCKER_CONFIG"]})
    step = finish(step_process.start(release, name, {}))
    assert step.result["config"] == (registry_logins.folder(release.app) if has else "/before")


def test_no_result_is_an_empty_one(do):
    step = finish(do(lambda _release, _args: None))
    assert (step.result, step.failure) == ({}, None)


def test_it_changes_nothing_of_what_began_it(do):
    release_args = {"list": []}

    def work(_release, args):
        args["list"].append(1)
        os.environ["JUNO_TEST"] = "set"
        os.chdir("/")
        return {}

    before = os.getcwd()
    finish(do(work, release_args))
    assert release_args == {"list": []}
    assert "JUNO_TEST" not in os.environ
    assert os.getcwd() == before


@pytest.mark.parametrize("size", [1, 4096, 65536, 70_000, 5_000_000])
def test_results_of_any_size(do, size):
    step = finish(do(lambda _release, args: {"log": "x" * args["size"]}, {"size": size}))
    assert len(step.result["log"]) == size


def test_what_json_does_not_know_is_text(do):
    when = datetime.date(2025, 1, 2)
    step = finish(do(lambda _release, _args: {"when": when, "tuple": (1, 2), "path": os.fsencode("x"), 7: None}))
    assert step.result == {"when": "2025-01-02", "tuple": [1, 2], "path": "b'x'", "7": None}


class OddError(Exception):
    """One that can be neither copied nor read."""

    def __init__(self, *, needed):
        super().__init__()
        self.needed = needed


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ({"threads": [threading.Lock()]}, None),
        ({"error": OddError(needed=1)}, None),
        ({(1, 2): 3}, "The step build broke: TypeError: keys must be str, int, float, bool or None, not tuple"),
    ],
)
def test_what_cannot_be_copied_ends_nobody_else(do, answer, failure):
    step = finish(do(lambda _release, _args: answer))
    assert (step.failure or {}).get("msg") == failure
    assert bool(step.result) == (failure is None)


def raises(exc):
    def work(_release, _args):
        raise exc

    return work


COMMAND = CommandError("It failed.", cmd=["git"], rc=1, stdout="", stderr="no")


@pytest.mark.parametrize(
    ("exc", "failure"),
    [
        (JunoError("Free disk space.", servers=["a"]), {"msg": "Free disk space.", "servers": ["a"]}),
        (COMMAND, {"msg": "It failed.", "cmd": ["git"], "rc": 1, "stdout": "", "stderr": "no"}),
        (
            JunoError("Odd.", cause=OddError(needed=1), when=datetime.date(2025, 1, 2)),
            {"msg": "Odd.", "cause": "", "when": "2025-01-02"},
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/state/x"),
            {
                "msg": "No room is left on this host for /state/x: free disk space (df -h tells where), then run this "
                "again.",
            },
        ),
        (SystemExit(3), {"msg": "The process of the step build ended with code 1 before it was done."}),
        (KeyboardInterrupt(), {"msg": "The process of the step build ended with code 1 before it was done."}),
    ],
)
def test_a_failure(do, exc, failure):
    step = finish(do(raises(exc)))
    assert step.failure == failure
    assert step.result == {}


@pytest.mark.parametrize("exc", [KeyError("images"), RecursionError("too deep"), OddError(needed=1)])
def test_a_failure_that_nothing_foresaw(do, exc):
    step = finish(do(raises(exc)))
    assert step.failure["msg"].startswith("The step build broke: ")
    assert type(exc).__name__ in step.failure["msg"]
    assert "Traceback" in step.failure["exception"]


def test_a_step_that_there_is_not(tmp_path):
    step = finish(step_process.start(Release(str(tmp_path)), "dance", {}))
    assert step.failure["msg"] == "The step dance broke: KeyError: 'dance'"


def test_secrets_stay_there(do):
    def work(_release, _args):
        masking.known.add("correct-horse-battery")
        raise JunoError("It said correct-horse-battery.", stderr=["postgres://juno:hunter2@db/juno"])

    step = finish(do(work))
    assert step.failure == {"msg": "It said ********.", "stderr": ["postgres://********@db/juno"]}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_one_that_is_killed(do, number):
    def work(_release, _args):
        os.kill(os.getpid(), number)
        time.sleep(60)

    step = finish(do(work))
    assert step.failure == {"msg": f"The process of the step build ended with signal {int(number)} before it was done."}


def test_one_that_leaves_without_a_word(do):
    step = finish(do(lambda _release, _args: os._exit(7)))
    assert step.failure == {"msg": "The process of the step build ended with code 7 before it was done."}


@pytest.mark.parametrize("what", ["fork", "pipe"])
def test_where_no_process_can_be_made(do, monkeypatch, what):
    def refuse():
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, what, refuse)
    before = open_files()
    step = do(lambda _release, _args: {})
    assert step.ended
    why = "This host can start no process for the step build (Resource temporarily unavailable): end what fills it."
    assert step.failure == {"msg": why}
    assert open_files() == before


def test_events(do):
    now = [10.0]

    def work(_release, _args):
        events.tell("one")
        events.tell("one")
        events.tell("a\nb \x1b[31mred")
        return {}

    step = do(work, clock=lambda: now[0])
    now[0] = 12.34
    finish(step)
    assert step.events == [{"seconds": 2.3, "text": "one"}, {"seconds": 2.3, "text": "a b red"}]


def test_events_come_while_it_is_at_work(do, tmp_path):
    def work(release, _args):
        events.tell("waits")
        while not os.path.exists(f"{release.path}/go"):
            time.sleep(0.01)
        return {"went": True}

    step = do(work)
    while not step.events:
        assert not step.read()
    assert not step.ended
    (tmp_path / "go").touch()
    assert finish(step).result == {"went": True}


def test_events_from_threads_stay_whole(do):
    def many(name):
        for number in range(200):
            events.tell(f"{name} {number} " + "x" * 150)

    def work(_release, _args):
        threads = [threading.Thread(target=many, args=(name,)) for name in "abcdefgh"]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return {"log": "y" * 300_000}

    step = finish(do(work))
    texts = [one["text"].split()[:2] for one in step.events]
    assert len(texts) == 8 * 200
    for name in "abcdefgh":
        assert [int(number) for first, number in texts if first == name] == list(range(200))
    assert len(step.result["log"]) == 300_000


def test_a_thread_that_is_left_neither_keeps_it_nor_breaks_it(do):
    def chatter():
        for number in range(10_000_000):
            events.tell(f"{number}")

    def work(_release, _args):
        threading.Thread(target=chatter).start()
        time.sleep(0.05)
        return {"log": "y" * 300_000}

    step = finish(do(work))
    assert len(step.result["log"]) == 300_000
    assert step.failure is None


def waits_for_a_program(_release, _args):
    """Do something that takes long, in a program that has a child of its own."""
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as program:
        try:
            events.tell(f"{program.pid} {program.stdout.readline()}")
            program.wait()
        finally:
            events.tell("tidies up")
            program.kill()
    return {}


def test_it_ends_with_all_that_it_has_started(do):
    step = do(waits_for_a_program)
    while not step.events:
        step.read()
    programs = [processes.identify(int(pid)) for pid in step.events[0]["text"].split()]
    assert all(one.is_alive() for one in programs)
    assert processes.end(step.process, 10)
    finish(step)
    assert not any(one.is_alive() for one in programs)
    assert step.events[-1]["text"] == "tidies up"
    assert step.failure == {"msg": "The process of the step build ended with code 1 before it was done."}


def test_a_large_result_is_told_as_a_whole_also_to_one_who_ends_it(do):
    def work(_release, _args):
        events.tell("nearly done")
        return {"log": "y" * 1_000_000}

    step = do(work)
    while not step.events:
        step.read()
    os.kill(step.process.pid, signal.SIGTERM)
    finish(step)
    # Either it was done, or it was not.
    assert (step.failure is None) == (len(step.result.get("log", "")) == 1_000_000)


LISTS = """
import os
print([os.readlink(f"/dev/fd/{one}") for one in range(3, 99) if os.path.exists(f"/dev/fd/{one}")])
"""


def test_what_it_starts_has_neither_socket_nor_pipe_nor_lock(do, tmp_path):
    handle = lock.take(str(tmp_path))
    os.set_inheritable(handle, True)  # as it comes to the deployer

    def work(_release, _args):
        own = [os.readlink(f"/dev/fd/{one}") for one in open_files() if os.path.exists(f"/dev/fd/{one}")]
        child = subprocess.run([sys.executable, "-c", LISTS], capture_output=True, text=True, check=True)
        return {"own": own, "child": child.stdout.strip()}

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        name = os.readlink(f"/dev/fd/{listener.fileno()}")
        step = finish(do(work, sockets=[listener]))
    os.close(handle)
    # It has the lock itself, which is free only when it has ended, too.
    assert f"{tmp_path}/lock" in step.result["own"]
    assert name not in step.result["own"]
    assert step.result["child"] == "[]"


def test_what_compose_was_asked_is_known_afterwards(do, monkeypatch):
    monkeypatch.setattr(compose_config, "_memory", None)

    def work(_release, _args):
        compose_config.recall(((("a", b"b"),), "{}"))
        return {}

    finish(do(work))
    assert compose_config.memory() == ((("a", b"b"),), "{}")


def test_it_can_be_asked_to_end_though_others_were_not_to_be(do):
    """A deployer may have been started by one that ignores TERM."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        step = do(waits_for_a_program)
        while not step.events:
            step.read()
        os.kill(step.process.pid, signal.SIGTERM)
        finish(step)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert step.failure is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(step.events[0]["text"].split()[1]), signal.SIGKILL)
