# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, held by real processes."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import lock

ID = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"
NOBODY = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="works as another user")
#: Takes the lock, and forks a child that has it, too; a further one is a program. It says their ids.
LEADER = """
import os, subprocess, sys, time
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
handle = lock.take(sys.argv[1])
program = subprocess.Popen(["sleep", "60"])
child = os.fork()
if not child:
    time.sleep(60)
print(child, program.pid, flush=True)
time.sleep(60)
"""
LOOKS = """
import os, sys
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
for work in (lock.take, lock.holder):
    try:
        print(work(sys.argv[1]))
    except JunoError as exc:
        print(exc.message)
"""
ENDS = """
import json, os, sys
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
try:
    print(lock.end_leftovers(lock.Holder(**json.loads(sys.argv[1])), 1.0))
except JunoError as exc:
    print(exc.message)
"""


def environment(**more: str) -> dict[str, str]:
    """Return one in which our code is found."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


@pytest.fixture
def leader(tmp_path):
    """Return a holder in a session of its own, and the ids of the processes that it has started."""
    argv = [sys.executable, "-c", LEADER, str(tmp_path)]
    marked = environment(**{lock.MARK: ID})
    with subprocess.Popen(argv, env=marked, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        started = [processes.identify(int(pid)) for pid in process.stdout.readline().split()]
        own = processes.identify(process.pid)
        yield process, lock.Holder(ID, pid=own.pid, started=own.started, boot=lock.boot_id()), started
        for one in (own, *started):
            processes.end(one, 0)


def kill(process):
    process.kill()
    process.wait()


def test_only_one_has_it(tmp_path):
    directory = str(tmp_path / "not yet" / "app")
    handle = lock.take(directory)
    assert handle is not None
    assert lock.take(directory) is None
    lock.give_back(handle)
    again = lock.take(directory)
    assert again is not None
    os.close(again)


def test_it_is_not_for_everybody(tmp_path):
    handle = lock.take(str(tmp_path / "app"))
    assert (tmp_path / "app").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "app" / "lock").stat().st_mode & 0o777 == 0o640
    os.close(handle)


def test_programs_do_not_inherit_it(tmp_path):
    handle = lock.take(str(tmp_path))
    with subprocess.Popen(["sleep", "60"], close_fds=False) as program:
        os.close(handle)
        again = lock.take(str(tmp_path))
        program.kill()
    assert again is not None
    os.close(again)


def test_a_fork_keeps_it_until_it_is_given_back(tmp_path):
    handle = lock.take(str(tmp_path))
    hear, speak = os.pipe()
    child = os.fork()
    if not child:
        os.close(speak)
        os.read(hear, 1)
        os._exit(0)
    second = os.dup(handle)
    os.close(handle)
    assert lock.take(str(tmp_path)) is None
    lock.give_back(second)
    again = lock.take(str(tmp_path))
    for one in (hear, speak):
        os.close(one)
    os.waitpid(child, 0)
    assert again is not None
    os.close(again)


@pytest.mark.parametrize("name", ["file/app", "file"])
def test_a_place_where_it_cannot_be_made_is_told(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(JunoError, match=r"lock can't be made \(.+\): deploy as a user who may write there"):
        lock.take(str(tmp_path / name))
    assert lock.holder(str(tmp_path / name)) is None


@pytest.fixture
def anothers():
    """Return a directory of a user who is not root, with root's lock in it."""
    with tempfile.TemporaryDirectory() as directory:
        os.close(lock.take(directory))
        os.chown(directory, NOBODY, NOBODY)
        yield directory


@only_root
def test_another_users_is_told(anothers):
    argv = [sys.executable, "-c", LOOKS, anothers, str(NOBODY)]
    result = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True).stdout.splitlines()
    assert "can't be made (Permission denied): deploy as a user who may write there" in result[0]
    assert "can't be read (Permission denied): run this as the user who owns it" in result[1]


def test_who_holds_it_is_known(tmp_path):
    directory = str(tmp_path)
    assert lock.holder(directory) is None
    handle = lock.take(directory)
    assert lock.holder(directory) == lock.Holder("")
    written = lock.Holder(
        ID, "rollback", "ada@laptop", "203.0.113.7", "2025-01-01T00:00:00Z", "laptop", 7, "81", 9, "82"
    )
    lock.write(handle, directory, written)
    assert lock.holder(directory) == written
    lock.write(handle, directory, lock.Holder("short"))
    assert lock.holder(directory) == lock.Holder("short")
    lock.give_back(handle)
    assert lock.holder(directory) is None


def test_what_a_killed_one_has_written_stays(tmp_path, leader):
    process, held, started = leader
    handle = os.open(tmp_path / "lock", os.O_RDWR)
    lock.write(handle, str(tmp_path), held)
    assert lock.holder(str(tmp_path)) == held
    kill(process)
    for one in started:
        processes.end(one, 5)
    assert lock.holder(str(tmp_path)) is None
    assert lock.read(handle) == held
    for done, left in ((False, held), (True, None)):
        lock.give_back(lock.take(str(tmp_path)), done=done)
        assert lock.read(handle) == left
    os.close(handle)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" " * 4096,
        b"the switch, process 7, started 81   ",
        b"\xff\x00",
        b"{",
        b"[]",
        b'["id"]',
        b"7",
        b'"id"',
        b"null",
        b"{}",
        b'{"purpose": "deploy"}',
        b'{"id": 7}',
        b'{"id": "a", "pid": "7"}',
        b'{"id": "a", "pid": true}',
        b'{"id": "a", "boot": null}',
    ],
)
def test_what_is_no_record(raw):
    assert lock.parse(raw) is None


def test_a_record_of_another_version_is_read():
    raw = json.dumps({"id": ID, "who": "ada@laptop", "later": {"a": 1}}).encode().ljust(9000)
    assert lock.parse(raw) == lock.Holder(ID, who="ada@laptop")


@pytest.mark.parametrize("holder", [lock.Holder(""), lock.Holder(ID, who="\u00e4da@" + "h" * 250, machine="m" * 400)])
def test_a_record_is_as_long_whatever_it_says(tmp_path, holder):
    handle = lock.take(str(tmp_path))
    lock.write(handle, str(tmp_path), holder)
    assert os.fstat(handle).st_size == 4096
    assert lock.read(handle) == holder
    os.close(handle)


def test_what_cannot_be_written_is_told(tmp_path):
    handle = lock.take(str(tmp_path))
    only_to_read = os.open(tmp_path / "lock", os.O_RDONLY)
    with pytest.raises(
        JunoError, match=r"lock can't be written \(.+\): free disk space or fix the permissions. Nothing was changed"
    ):
        lock.write(only_to_read, str(tmp_path), lock.Holder(ID))
    lock.give_back(only_to_read)
    os.close(handle)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "A deploy of shop by unknown has been at work since "),
        ({"purpose": "rollback", "who": "ada@laptop"}, "A rollback of shop by ada@laptop has been at work since "),
        (
            {"purpose": "one of later", "address": "203.0.113.7", "since": "2025-01-01T00:00:00Z"},
            "A deploy of shop by unknown (from 203.0.113.7) has been at work since 2025-01-01T00:00:00Z",
        ),
    ],
)
def test_words(fields, words):
    assert lock.Holder(ID, **fields).words("shop") == words


def test_what_a_killed_one_has_left_running_is_ended(tmp_path, leader):
    process, held, started = leader
    kill(process)
    assert lock.take(str(tmp_path)) is None
    assert lock.end_leftovers(held, 3.0)
    assert not any(one.is_alive() for one in started)
    handle = lock.take(str(tmp_path))
    assert handle is not None
    os.close(handle)


def test_what_is_alive_is_left_alone(leader):
    process, held, started = leader
    assert not lock.end_leftovers(held, 0.1)
    assert process.poll() is None
    assert all(one.is_alive() for one in started)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"boot": "of yesterday"}, id="another boot"),
        pytest.param({"pid": 0}, id="no process"),
        # Its number is another's by now, and so is the session's.
        pytest.param({"id": "of another deployer", "started": "1"}, id="a process id used again"),
        pytest.param({"id": "of another deployer"}, id="a session's number used again"),
    ],
)
def test_what_was_started_by_another_is_left_alone(leader, changes):
    process, held, started = leader
    kill(process)
    lock.end_leftovers(dataclasses.replace(held, **changes), 0.1)
    assert all(one.is_alive() for one in started)


@only_root
def test_what_is_left_of_another_users_is_told(leader):
    process, held, started = leader
    kill(process)
    fields = json.dumps(dataclasses.asdict(dataclasses.replace(held, who="ada@laptop")))
    argv = [sys.executable, "-c", ENDS, fields, str(NOBODY)]
    result = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True).stdout
    assert result.startswith("A deployer of ada@laptop was killed, and process ")
    assert "runs as another user: end it, or deploy as root. Nothing was changed." in result
    assert all(one.is_alive() for one in started)
