# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployers as they are started on a host: from the kept code, with the real lock. Only git waits as it is told."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import signal
import threading
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.juno.deploy.plugins.module_utils._base import options, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import follow as release_follow
from ansible_collections.juno.deploy.plugins.module_utils._release import start_deployer
from ansible_collections.juno.deploy.plugins.module_utils._state import kept_code, lock, rpc
from ansible_collections.juno.deploy.plugins.modules import release_begin
from ansible_collections.juno.deploy.plugins.plugin_utils import _code

ID = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"
#: Says its process, and waits until it may go on.
GIT = """#!/bin/sh
echo $$ >> {path}/gits
while ! test -e {path}/go; do sleep 0.05; done
exit 1
"""
LONG_SECONDS = 60
LOGIN = {"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}
#: The same, as docker writes it.
AUTH = "Y2k6dDBwUzNjcmV0"


def until(true):
    ends = time.monotonic() + LONG_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return kept_code.keep(str(tmp_path_factory.mktemp("code")), _code.digest(), _code.archive())


_EARLIER = []


def _all_children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="utf-8") as file:
        return [int(pid) for pid in file.read().split()]


@pytest.fixture(autouse=True)
def earlier():
    """Children of this process that other tests have left."""
    _EARLIER[:] = _all_children()


def children():
    """Name the children of this process that a test has made."""
    return [one for one in _all_children() if one not in _EARLIER]


@pytest.fixture
def host(tmp_path):
    """Return a host's directory with an app's state; what runs of it afterwards is ended."""
    (tmp_path / "state/shop").mkdir(parents=True)
    before = children()
    yield tmp_path
    (tmp_path / "go").touch()
    for pid in set(children()) - set(before):
        for one in (processes.identify(pid), *processes.session(pid)):
            processes.end(one, 0)
        os.waitpid(pid, 0)


@pytest.fixture
def waiting_git(host, monkeypatch):
    """Have git wait, so that the begin of a release is at work; return the processes of it."""
    (host / "bin").mkdir()
    (host / "bin/git").write_text(GIT.format(path=host))
    (host / "bin/git").chmod(0o700)
    monkeypatch.setenv("PATH", f"{host}/bin:{os.environ['PATH']}")

    def gits():
        until(lambda: (host / "gits").exists() and (host / "gits").read_text().endswith("\n"))
        return [processes.identify(int(pid)) for pid in (host / "gits").read_text().split()]

    return gits


def spec(host, **fields):
    result = ArgumentSpecValidator(options.RELEASE).validate(
        {"path": str(host / "app"), "project": "shop", "state_root": str(host / "state"), **fields}
    )
    assert result.error_messages == []
    return result.validated_parameters


@pytest.fixture
def start_request(host, package):
    holder = lock.Holder(ID, who="ada@laptop", since="2025-01-01T00:00:00Z")
    return start_deployer.StartRequest(str(host / "state/shop"), package, holder, spec(host), 60.0)


def start(start_request, taken_over=""):
    handle = lock.take(start_request.directory)
    assert handle is not None
    start_deployer.start(start_request, handle, taken_over)
    with pytest.raises(OSError, match="Bad file"):  # it is the deployer's alone
        os.fstat(handle)


def follow(start_request, **more):
    asked = {"do": "watch", "name": "begin", "after": 0, "seconds": 30.0, **more}
    return release_follow.follow(start_request.directory, start_request.holder.id, asked)


def test_a_begin_that_fails_is_told_and_over(start_request, host):
    start(start_request)
    with pytest.raises(JunoError, match=rf"{host}/app") as error:
        follow(start_request)
    assert "deployer" not in error.value.details
    assert error.value.details["progress"]["ended"]
    (deployer,) = children()
    os.waitpid(deployer, 0)
    assert lock.holder(start_request.directory) is None
    assert sorted(os.listdir(start_request.directory)) == ["deployer.errors", "lock"]
    assert (host / "state/shop/deployer.errors").read_text() == ""
    handle = lock.take(start_request.directory)
    assert lock.read(handle) is None
    lock.give_back(handle)


def test_what_a_deployer_is(start_request, host, waiting_git):
    start(start_request)
    waiting_git()
    held = lock.holder(start_request.directory)
    assert held == dataclasses.replace(
        start_request.holder, pid=held.pid, started=processes.identify(held.pid).started, boot=lock.boot_id()
    )
    assert os.getsid(held.pid) == held.pid != os.getsid(0)
    assert os.readlink(f"/proc/{held.pid}/cwd") == "/"
    files = {}
    for number in os.listdir(f"/proc/{held.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # one that it had for a moment
            files[number] = os.readlink(f"/proc/{held.pid}/fd/{number}")
    assert files.pop("0") == files.pop("1") == "/dev/null"
    assert files.pop("2") == f"{start_request.directory}/deployer.errors"
    # It may just be importing a module.
    lasting = [one for one in files.values() if one != "/dev/null" and not one.endswith((".py", ".pyc", ".so"))]
    kinds = sorted(one.partition(":")[0] for one in lasting)
    assert kinds == [f"{start_request.directory}/lock", "pipe", "socket"]
    standing = rpc.ask(rpc.socket_path(start_request.directory, ID), {"do": "stand"})
    assert (standing["id"], standing["step"], standing["next_step_timeout_seconds"]) == (ID, "begin", 60.0)
    with open(f"/proc/{held.pid}/cmdline", encoding="utf-8") as file:
        assert "ada" not in file.read()


def with_the_password(path):
    """Return the files below a directory that have the password of LOGIN, as it is or as docker writes it."""
    found = []
    for one in sorted(path.rglob("*")):
        if one.is_file() and any(word in one.read_bytes() for word in (b"t0pS3cret", AUTH.encode())):
            found.append(str(one.relative_to(path)))
    return found


def test_logins_are_in_one_file_as_long_as_the_deployer_is_there(start_request, host, waiting_git, monkeypatch):
    monkeypatch.setenv("HOME", str(host))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    start(dataclasses.replace(start_request, spec=spec(host, registry_logins=[LOGIN])))
    (git,) = waiting_git()
    assert with_the_password(host / "state/shop") == ["docker/config.json"]
    with open(f"/proc/{git.pid}/environ", encoding="utf-8") as file:
        known = file.read()
    assert f"DOCKER_CONFIG={host}/state/shop/docker" in known.split("\0")
    assert "t0pS3cret" not in known
    (host / "go").touch()
    with pytest.raises(JunoError) as error:
        follow(start_request)
    assert "t0pS3cret" not in f"{error.value.message}{error.value.details}"
    (deployer,) = children()
    os.waitpid(deployer, 0)
    assert sorted(os.listdir(start_request.directory)) == ["deployer.errors", "lock"]


def test_programs_of_a_deployer_have_neither_lock_nor_socket_but_its_mark(start_request, waiting_git):
    start(start_request)
    (git,) = waiting_git()
    files = [os.readlink(f"/proc/{git.pid}/fd/{number}") for number in os.listdir(f"/proc/{git.pid}/fd")]
    assert not [one for one in files if one.endswith("/lock") or one.startswith("socket:")]
    with open(f"/proc/{git.pid}/environ", encoding="utf-8") as file:
        assert f"{lock.MARK}={ID}" in file.read().split("\0")
    assert os.getsid(git.pid) == lock.holder(start_request.directory).pid


def test_one_that_is_at_work_is_told(start_request, waiting_git):
    start(start_request)
    waiting_git()
    handle, busy = start_deployer.take_lock(start_request.directory, 0.3, "")
    assert handle is None
    result = busy.as_dict()
    assert result["words"] == "A deploy of shop by ada@laptop has been at work since 2025-01-01T00:00:00Z"
    assert (result["id"], result["who"], result["standing"]["step"], result["standing"]["cancel_reason"]) == (
        ID,
        "ada@laptop",
        "begin",
        "",
    )


def test_one_whose_controller_is_dead_is_cancelled(start_request, host, waiting_git):
    start(start_request)
    waiting_git()
    handle, busy = start_deployer.take_lock(start_request.directory, 0, ID)
    assert handle is None
    assert busy.standing["cancel_reason"] == "the next deploy came"
    (host / "go").touch()
    handle, place = start_deployer.take_lock(start_request.directory, LONG_SECONDS, ID)
    assert handle is not None
    assert (place.holder.id, place.holder.who) == (ID, "ada@laptop")
    lock.give_back(handle)


def test_one_that_ends_by_itself_was_not_cancelled(start_request, host, waiting_git):
    start(start_request)
    waiting_git()
    threading.Timer(0.3, (host / "go").touch).start()
    with pytest.raises(JunoError):
        follow(start_request)
    handle, place = start_deployer.take_lock(start_request.directory, LONG_SECONDS, "")
    assert handle is not None
    assert place is None
    lock.give_back(handle)


def test_what_a_killed_deployer_left_running_is_ended(start_request, waiting_git):
    start(start_request)
    (git,) = waiting_git()
    held = lock.holder(start_request.directory)
    os.kill(held.pid, signal.SIGKILL)
    os.waitpid(held.pid, 0)
    assert lock.holder(start_request.directory) == held  # its step has the lock
    handle, place = start_deployer.take_lock(start_request.directory, LONG_SECONDS, "")
    assert handle is not None
    assert place.holder == held
    assert place.standing == {}
    assert not git.is_alive()
    lock.give_back(handle)


def test_what_was_left_running_by_one_that_was_killed_with_its_step_is_ended(start_request, waiting_git):
    """A program of it holds no lock, and goes on all the same."""
    start(start_request)
    (git,) = waiting_git()
    held = lock.holder(start_request.directory)
    with open(f"/proc/{git.pid}/stat", encoding="utf-8") as file:
        step = processes.parse_stat(file.read()).parent
    for pid in (held.pid, step):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(held.pid, 0)
    until(lambda: lock.holder(start_request.directory) is None)
    assert git.is_alive()
    handle, place = start_deployer.take_lock(start_request.directory, 0, "")
    assert handle is not None
    assert place.holder == held
    assert not git.is_alive()
    lock.give_back(handle)


def test_a_record_of_an_earlier_boot_says_whose_place_is_taken(start_request):
    handle = lock.take(start_request.directory)
    me = processes.identify(os.getpid())
    held = dataclasses.replace(start_request.holder, pid=me.pid, started=me.started, boot="of yesterday")
    lock.write(handle, start_request.directory, held)
    os.close(handle)
    handle, place = start_deployer.take_lock(start_request.directory, 0, "")
    assert place.holder == held
    lock.give_back(handle)


def test_of_many_at_the_same_moment_one_begins(start_request, waiting_git):
    started, busy, moment = [], [], threading.Barrier(6)

    def begin(number):
        mine = dataclasses.replace(start_request, holder=dataclasses.replace(start_request.holder, id=f"{number}" * 32))
        moment.wait(LONG_SECONDS)
        handle, other = start_deployer.take_lock(mine.directory, 1.0, "")
        if handle is None:
            busy.append(other.holder.id)
        else:
            start_deployer.start(mine, handle)
            started.append(mine.holder.id)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(started) == 1
    assert len(busy) == 5
    assert set(busy) <= {started[0], ""}  # for a moment it does not say who it is
    assert lock.holder(start_request.directory).id == started[0]
    waiting_git()


def test_one_that_waits_gets_the_lock(start_request, host, waiting_git):
    start(start_request)
    waiting_git()
    got = []
    waits = threading.Thread(
        target=lambda: got.append(start_deployer.take_lock(start_request.directory, LONG_SECONDS, "")[0])
    )
    waits.start()
    waits.join(0.3)
    assert got == []
    (host / "go").touch()
    waits.join(LONG_SECONDS)
    assert got[0] is not None
    # The result of the one before can still be fetched when the next one listens.
    with rpc.listen(start_request.directory, "next"), pytest.raises(JunoError) as error:
        follow(start_request)
    assert "deployer" not in error.value.details
    lock.give_back(got[0])


@pytest.fixture
def no_room():
    """Let no file of this process and its children grow beyond a few bytes."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_where_no_room_is_nothing_is_begun(start_request, no_room):
    handle = lock.take(start_request.directory)
    no_room()
    with pytest.raises(
        JunoError, match=r"lock can't be written \(File too large\): free disk space.*Nothing was changed"
    ):
        start_deployer.start(start_request, handle)
    assert children() == []
    assert lock.holder(start_request.directory) is None


@pytest.mark.parametrize("name", [f"deployer-{ID[:12]}.sock", "deployer.errors"])
def test_where_its_files_cannot_be_made_nothing_is_begun(start_request, host, name):
    (host / "state/shop" / name).mkdir()
    handle = lock.take(start_request.directory)
    with pytest.raises(
        JunoError, match=r"deployer can't be started in .*/shop \(.+\): free disk space or fix the permissions"
    ):
        start_deployer.start(start_request, handle)
    assert children() == []
    assert lock.holder(start_request.directory) is None


def test_where_no_process_can_be_made_nothing_is_begun(start_request, monkeypatch):
    monkeypatch.setattr(start_deployer.sys, "executable", "/no/python")
    handle = lock.take(start_request.directory)
    with pytest.raises(JunoError, match=r"can't be started in .* \(No such file or directory\)"):
        start_deployer.start(start_request, handle)
    assert lock.holder(start_request.directory) is None


def test_a_deployer_that_breaks_at_once_says_why(start_request, host):
    (host / "no code").mkdir()
    start(dataclasses.replace(start_request, package=str(host / "no code")))
    with pytest.raises(JunoError, match=r"not there any more.*It said last: \w+Error: .*ansible_collections") as error:
        follow(start_request)
    assert error.value.details == {"deployer": "gone"}
    os.waitpid(children()[0], 0)
    assert lock.holder(start_request.directory) is None


def test_who_starts_it_may_ignore_the_end_of_children(start_request, waiting_git, host):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        start(start_request)
        waiting_git()
    finally:
        signal.signal(signal.SIGCHLD, before)
    (host / "go").touch()
    with pytest.raises(JunoError) as error:
        follow(start_request)
    assert "deployer" not in error.value.details


# The plan alone.


def test_a_plan_takes_no_lock(start_request, host):
    handle = lock.take(start_request.directory)
    with pytest.raises(JunoError, match=rf"{host}/app"):
        start_deployer.look_only(start_request)
    assert sorted(os.listdir(start_request.directory)) == ["lock"]
    os.close(handle)


def test_a_plan_that_breaks_says_why(start_request, host):
    (host / "no code").mkdir()
    with pytest.raises(JunoError, match=r"The plan broke: Traceback.*\n.*(\n.*)*ansible_collections"):
        start_deployer.look_only(dataclasses.replace(start_request, package=str(host / "no code")))


def test_an_error_that_nothing_foresaw_is_a_failure_of_the_plan(start_request):
    broken = dataclasses.replace(
        start_request, spec={**start_request.spec, "caches": None, "proxy": None, "pages": 7, "compose_files": 7}
    )
    with pytest.raises(JunoError, match="The step begin broke: ") as error:
        start_deployer.look_only(broken)
    assert "Traceback" in error.value.details["exception"]


# The module.


@pytest.fixture
def params(host):
    own = {name: spec.get("default") for name, spec in release_begin.OWN.items()}
    controller = {"who": "ada@laptop", "machine": "laptop", "pid": 7, "started": "81"}
    return {**spec(host), **own, "controller": controller, "deployer": ID, "package": _code.digest()}


def test_the_module_begins(params, host, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.7 50000 10.0.0.1 22")
    assert release_begin.begin(params, dry=False) == {"needs_archive": True}
    assert os.listdir(host / "state/shop") == []
    with pytest.raises(JunoError, match=rf"{host}/app"):
        release_begin.begin({**params, "archive": _code.archive()}, dry=False)
    with pytest.raises(JunoError, match=rf"{host}/app"):
        release_begin.begin({**params, "deployer": "f" * 32}, dry=False)
    assert lock.holder(str(host / "state/shop")) is None


def test_the_module_follows_what_it_has_begun(params, host, waiting_git):
    first = release_begin.begin({**params, "archive": _code.archive(), "next_step_timeout_seconds": 500.0}, dry=False)
    assert (first["deployer"], first["progress"]["ended"]) == (ID, False)
    held = lock.holder(str(host / "state/shop"))
    assert (held.who, held.machine, held.controller_pid, held.controller_started) == ("ada@laptop", "laptop", 7, "81")
    waiting_git()
    assert not release_begin.begin({**params, "after": first["progress"]["next"]}, dry=False)["progress"]["ended"]
    busy = release_begin.begin({**params, "deployer": "f" * 32}, dry=False)["busy"]
    assert (busy["id"], busy["who"], busy["controller_pid"]) == (ID, "ada@laptop", 7)
    (host / "go").touch()
    with pytest.raises(JunoError) as error:
        release_begin.begin({**params, "after": 0}, dry=False)
    assert error.value.details["progress"]["ended"]


def test_the_module_plans(params, host):
    wanted = {**params, "deployer": ""}
    assert release_begin.begin(wanted, dry=True) == {"needs_archive": True}
    with pytest.raises(JunoError, match=rf"{host}/app"):
        release_begin.begin({**wanted, "archive": _code.archive()}, dry=True)
    assert os.listdir(host / "state/shop") == []


@pytest.mark.parametrize(
    ("fields", "dry"), [({"deployer": ""}, False), ({"package": ""}, False), ({"package": "", "deployer": ""}, True)]
)
def test_the_module_needs_its_action_plugin(params, fields, dry):
    with pytest.raises(JunoError, match=r"was not called by its action plugin"):
        release_begin.begin({**params, **fields}, dry=dry)
