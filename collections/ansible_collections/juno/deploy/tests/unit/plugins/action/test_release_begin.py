# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a release begins, and how it waits for another one; the module's answers are prepared."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import types

import pytest
from ansible import context
from ansible_collections.juno.deploy.plugins.action import release_begin as it
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.plugin_utils import _code, _folder, _interrupt


@pytest.mark.parametrize(
    ("version", "is_used"),
    [
        ("2.15.0", False),
        ("2.16.99", False),
        ("2.17.0", True),
        ("2.17.0rc1", True),
        ("2.19.4", True),
        ("2.20.0b1.post0", True),
        ("2.21.5", True),
        ("2.22.0", False),
        ("2.22.0.dev0", False),
        ("3.0.0", False),
        ("1.18.0", False),
    ],
)
def test_versions_of_ansible_core(version, is_used):
    result = it.refusal(version)
    assert (result == "") == is_used
    if result:
        assert result == (
            f"juno.deploy works with ansible-core 2.17 to 2.21, and this is {version}: install one of these "
            "(pip install 'ansible-core==2.21.*'). Nothing was changed."
        )


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def other(**fields):
    standing = {
        "step": "build",
        "seconds": 7.0,
        "silent_seconds": 0.4,
        "cancel_reason": "",
        **fields.pop("standing", {}),
    }
    result = {"words": "A deploy of shop by ada@laptop has been at work since 10:00", "id": "a1", "machine": "laptop"}
    return {**result, "controller_pid": 7, "controller_started": "81", "standing": standing, **fields}


QUIET = {"silent_seconds": 500.0}
CANCELLED = {"silent_seconds": 500.0, "cancel_reason": "the next deploy came"}


@pytest.mark.parametrize(
    ("wait_seconds", "busy", "over_after"),
    [
        # Its controller is alive, as the second look tells.
        pytest.param(0, other(), 1, id="alive"),
        pytest.param(30, other(), 30, id="alive, and waited for"),
        # It may be dead: the deployer itself finds out.
        pytest.param(0, other(standing=QUIET), 21, id="silent"),
        pytest.param(30, other(standing=QUIET), 51, id="silent, and waited for"),
        pytest.param(0, other(standing=CANCELLED), 181, id="goes back"),
        pytest.param(30, other(standing=CANCELLED), 211, id="goes back, and waited for"),
        pytest.param(0, {**other(), "standing": {}}, 181, id="killed"),
        pytest.param(0, {"id": "", "words": ""}, 0, id="does not say who it is"),
        pytest.param(30, {"id": "", "words": ""}, 30, id="does not say who it is, and is waited for"),
        pytest.param(30, {}, 30, id="says nothing"),
    ],
)
def test_how_long_another_one_is_waited_for(wait_seconds, busy, over_after):
    clock = Clock()
    wait = it.Wait(wait_seconds, clock)
    while not wait.is_over(busy):
        clock.now += 1
        assert clock.now < 1300
    assert clock.now - 1000 == over_after


def test_a_word_of_its_controller_between_two_looks_is_a_sign_of_life():
    clock = Clock()
    wait = it.Wait(0, clock)
    assert not wait.is_over(other(standing={"silent_seconds": 0.0}))
    clock.now += 1.2
    assert not wait.is_over(other(standing={"silent_seconds": 1.3}))
    clock.now += 1.2
    assert wait.is_over(other(standing={"silent_seconds": 1.1}))


@pytest.fixture
def another():
    """Return another process on this machine."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process, processes.identify(process.pid)
        process.kill()


def test_whether_the_other_controller_is_dead(another):
    process, own = another
    mine = {"machine": it.machine(), "controller_pid": own.pid, "controller_started": own.started}
    assert not it.is_dead(mine)
    assert not it.is_dead({})
    assert not it.is_dead({**mine, "controller_pid": 0})
    assert it.is_dead({**mine, "controller_started": "1"})  # its number is another's by now
    process.kill()
    process.wait()
    assert it.is_dead(mine)
    # Nobody knows of processes of another machine, or of another boot or container of this one.
    assert not it.is_dead({**mine, "machine": f"{it.machine()} elsewhere"})


def test_this_machine_is_told_from_others():
    assert it.machine() == it.machine()
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        assert file.read().strip() in it.machine()
    assert os.readlink("/proc/self/ns/pid") in it.machine()


def test_the_controller_is_the_playbook_and_not_its_worker():
    hear, say = multiprocessing.get_context("fork").Pipe(duplex=False)
    worker = multiprocessing.get_context("fork").Process(target=lambda: say.send(it.controller()))
    worker.start()
    result = hear.recv()
    worker.join()
    own = processes.identify(os.getpid())
    assert result == {"who": it.who(), "machine": it.machine(), "pid": own.pid, "started": own.started}


def test_the_controller_has_a_name_also_for_an_id_without_one(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr(it.getpass, "getuser", nobody)
    monkeypatch.setattr(it.socket, "gethostname", lambda: "laptop")
    assert it.who() == f"{os.getuid()}@laptop"


@pytest.fixture
def shown(monkeypatch):
    lines = []
    monkeypatch.setattr(_interrupt, "show", lines.append)
    monkeypatch.setattr(_interrupt, "say_if_cancelled", lambda _host, _text: None)
    return lines


@pytest.fixture
def begin(shown, monkeypatch):
    """Return what runs the action with prepared answers of its module, and what that was called with."""

    def run(answers, args=None, *, check_mode=False):
        task = types.SimpleNamespace(
            args={"project": "shop", **(args or {})}, action="x", async_val=0, check_mode=check_mode, diff=False
        )
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = it.ActionModule(task, connection, None, None, None, None)
        calls, left = [], list(answers)

        def execute(*, module_name, module_args, task_vars):
            assert (module_name, task_vars) == ("juno.deploy.release_begin", {"inventory_hostname": "h1"})
            calls.append(dict(module_args))
            return dict(left.pop(0))

        monkeypatch.setattr(action, "_execute_module", execute)
        result = action.run(task_vars={"inventory_hostname": "h1"})
        assert not left
        return result, calls

    return run


BEGUN = {"begun": True, "changed": True}


def progress(**more):
    return {"step": "begin", "seconds": 1.0, "usual": 0, "events": [], "next": 0, "ended": True, **more}


def test_a_begin(begin):
    result, (call,) = begin([{**BEGUN, "progress": progress()}], {"path": "/app"})
    assert result == BEGUN
    assert call.pop("controller") == it.controller()
    deployer = call.pop("deployer")
    assert len(deployer) == 32
    assert call == {"project": "shop", "path": "/app", "package": _code.digest()}
    assert begin([BEGUN])[1][0]["deployer"] != deployer


@pytest.mark.parametrize(("options", "auto_continue"), [({}, True), ({"step": False}, True), ({"step": True}, False)])
def test_nothing_follows_by_itself_where_a_person_is_asked_before_each_task(begin, monkeypatch, options, auto_continue):
    monkeypatch.setattr(context, "CLIARGS", options)
    _result, (call,) = begin([BEGUN], {"auto_continue": True})
    assert call["auto_continue"] == auto_continue


def test_it_is_followed_by_the_same_id(begin):
    _result, calls = begin([{"progress": progress(next=2, ended=False)}, {**BEGUN, "progress": progress(next=2)}])
    assert calls[1] == {**calls[0], "after": 2}


def test_a_plan_alone_has_no_deployer(begin):
    result, (call,) = begin([{"begun": False}], check_mode=True)
    assert (result, call["deployer"]) == ({"begun": False}, "")


def test_the_code_is_sent_where_it_is_not_kept(begin):
    result, (first, second) = begin([{"needs_archive": True}, BEGUN])
    assert result == BEGUN
    assert "archive" not in first
    assert second == {**first, "archive": _code.archive()}


def test_it_goes_with_no_later_call(begin):
    calls = begin([{"needs_archive": True}, {"busy": other(standing=CANCELLED)}, BEGUN])[1]
    assert ["archive" in one for one in calls] == [False, True, False]


def test_one_that_is_at_work_is_named(begin, shown):
    busy = other(standing={"silent_seconds": -1.0})  # it was heard since the last look, whenever that was
    result, _calls = begin([{"busy": busy}])
    assert result == {
        "failed": True,
        "msg": "A deploy of shop by ada@laptop has been at work since 10:00 and is alive: let it end, then run this "
        "again, or let this one wait (django_app_lock_wait_seconds). Nothing was changed.",
        "holder": busy,
    }
    assert shown == []


@pytest.mark.parametrize("busy", [{}, {"id": "", "words": "A deploy of shop by unknown has been at work since "}])
def test_something_that_does_not_say_who_it_is(begin, busy):
    result, _calls = begin([{"busy": busy}])
    assert result["msg"].startswith("Something that does not say who it is holds the lock of shop: let it end, ")


def test_one_that_is_cancelled_is_waited_for_which_is_said_now_and_then(begin, shown):
    result, calls = begin([*[{"busy": other(standing=CANCELLED)}] * 3, BEGUN])
    assert result == BEGUN
    assert calls == [calls[0]] * 4
    assert shown == ["begin  h1  0 s  waits: A deploy of shop by ada@laptop has been at work since 10:00: build, 7 s"]


@pytest.mark.parametrize("busy", [{}, {"id": ""}, {"id": "a1", "words": "A deploy", "standing": {}}])
def test_one_that_says_little_can_be_waited_for(begin, shown, busy):
    result, _calls = begin([{"busy": busy}, BEGUN], {"lock_wait_seconds": 60})
    assert result == BEGUN
    assert shown == [f"begin  h1  0 s  waits: {busy.get('words') or 'the lock is held'}"]


def test_one_whose_controller_is_dead_is_told_to_cancel_its_run(begin, another):
    process, own = another
    process.kill()
    process.wait()
    busy = other(machine=it.machine(), controller_pid=own.pid, controller_started=own.started)
    calls = begin([{"busy": busy}, BEGUN])[1]
    assert [one.get("dead") for one in calls] == [None, "a1"]


def test_nobody_is_waited_for_when_the_playbook_has_ended(begin, monkeypatch):
    """Else a release would begin that nobody wants any more."""
    monkeypatch.setattr(_interrupt, "playbook_ended", lambda: True)
    result, _calls = begin([{"busy": other()}], {"lock_wait_seconds": 60})
    assert result == {"failed": True, "msg": "ansible-playbook has ended."}


def test_another_version_is_refused_before_anything_is_sent(begin, monkeypatch):
    monkeypatch.setattr(it, "ansible_version", "2.22.0")
    result, calls = begin([])
    assert result["failed"]
    assert result["msg"] == it.refusal("2.22.0")
    assert calls == []


@pytest.fixture
def with_files(shown, monkeypatch, tmp_path):
    """Return what runs the action with a folder, and what each module was called with."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "page").write_text("text")

    def run(answer, **args):
        task = types.SimpleNamespace(
            args={"project": "shop", "files": "shop", **args}, action="x", async_val=0, check_mode=False, diff=False
        )
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = it.ActionModule(task, connection, None, None, None, None)
        calls = []

        def execute(*, module_name, module_args, task_vars):
            calls.append((module_name.rpartition(".")[2], module_args.get("files") or module_args.get("commit")))
            return dict(BEGUN if module_name.endswith("begin") else answer)

        monkeypatch.setattr(action, "_execute_module", execute)
        return action.run(task_vars={"inventory_hostname": "h1", "inventory_dir": str(tmp_path)}), calls

    return run


def test_a_folder_becomes_its_commit(with_files, tmp_path):
    commit = _folder.look(str(tmp_path / "shop")).commit_id
    result, calls = with_files({"missing": [0]})
    assert result == BEGUN
    assert calls == [("release_files", commit), ("release_files", commit), ("release_begin", commit)]


@pytest.mark.parametrize("purpose", ["rollback", "restart"])
def test_only_a_deploy_reads_the_folder(with_files, purpose):
    assert with_files({}, purpose=purpose, files="/nowhere")[1] == [("release_begin", None)]


def test_a_folder_that_can_not_be_sent_begins_nothing(with_files):
    result, calls = with_files({"failed": True, "msg": "no room"})
    assert (result, len(calls)) == ({"failed": True, "msg": "no room"}, 1)
    result, calls = with_files({}, files="nosuch")
    assert (result["failed"], calls) == (True, [])
    assert result["msg"].startswith("There is no folder /")
