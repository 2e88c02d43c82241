# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Those who ask a deployer over its socket: whatever they say, it goes on."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import rpc_server
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import running_deployer
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.running_deployer import ID, raw, until


def is_closed(link):
    link.settimeout(0.01)
    try:
        return link.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("said", [b"", b'{"do": "sta'])
def test_a_silent_client_blocks_nobody(deployer, said):
    deployer.start({})
    deployer.rests()
    with raw(deployer.directory, said, reads=False) as link:
        for _again in range(20):
            assert deployer.ask()["id"] == ID
        assert not is_closed(link)
        deployer.step("build")
        deployer.clock.move(rpc_server.SILENT_SECONDS)
        deployer.ask()
        until(lambda: is_closed(link))
    assert deployer.ask()["id"] == ID


def test_many_silent_clients_block_nobody_for_long(deployer):
    deployer.start({})
    deployer.rests()
    with contextlib.ExitStack() as links:
        for _again in range(rpc_server.MOST_CONNECTIONS):
            links.enter_context(raw(deployer.directory, b"", reads=False))
        answers = []
        asks = threading.Thread(target=lambda: answers.append(deployer.ask()))
        asks.start()
        asks.join(0.2)
        assert not answers
        deployer.clock.move(rpc_server.SILENT_SECONDS)
        asks.join(60)
    assert answers[0]["id"] == ID


GARBAGE = [
    b"\n",
    b"\xff\xfe\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"[" * 100_000 + b"\n",
    b"null\n",
    b"[]\n",
    b'"do"\n',
    b"7\n",
    b"{}\n",
    b'{"do": "dance"}\n',
    b'{"do": ["step"]}\n',
    b'{"do": "step"}\n',
    b'{"do": "watch", "seconds": 1}\n',
    b'{"do": "step", "name": "build", "args": 7}\n',
    b'{"do": "step", "name": "build", "args": "a"}\n',
    b'{"do": "step", "name": "build", "next_step_timeout": "long"}\n',
    b'{"do": "step", "name": "build", "seconds": {"a": 1}}\n',
    b'{"do": "step", "name": "build", "seconds": [1]}\n',
    b'{"do": "watch", "name": "begin", "after": 1e400}\n',
    b'{"do": "watch", "name": "begin", "after": NaN}\n',
    b'{"do": "stand"}\n{"do": "stand"}\n',
    b"x" * (rpc_server.MOST_BYTES + 10),
]


@pytest.mark.parametrize("said", GARBAGE, ids=lambda said: repr(said[:30]))
def test_garbage_is_not_answered_and_changes_nothing(deployer, said):
    deployer.start({})
    deployer.rests()
    try:
        assert raw(deployer.directory, said) is None
    except (ConnectionResetError, BrokenPipeError):
        assert len(said) > 50_000
    deployer.step("build")
    assert deployer.log() == ["begin", "build"]


@pytest.mark.parametrize(
    "said",
    [
        b'{"do": "watch", "name": "begin", "seconds": NaN}\n',
        b'{"do": "watch", "name": "begin", "seconds": -5, "after": -7}\n',
        b'{"do": "watch", "name": "begin", "after": 99, "args": null, "next_step_timeout": null, "more": 1}\n',
        b'{"do": "watch",\t "name": "begin"}  \n',
    ],
)
def test_what_makes_some_sense_is_answered(deployer, said):
    deployer.start({})
    deployer.rests()
    assert raw(deployer.directory, said)["result"] == {"begun": True}
    assert deployer.ask()["cancel_reason"] == ""


def test_a_request_may_come_in_pieces_and_without_an_end_of_the_line(deployer):
    deployer.start({})
    deployer.rests()
    with raw(deployer.directory, b'{"do": ', reads=False) as link:
        deployer.ask()
        link.sendall(b'"stand"')
        deployer.ask()
        link.sendall(b"}")
        link.shutdown(1)
        assert b'"silent_seconds"' in link.recv(65536)


def test_two_clients_that_watch_hear_the_same(deployer):
    deployer.start({"build": deployer.waits("gate", {"images": {}})})
    deployer.rests()
    answers = []
    asks = [
        threading.Thread(target=lambda do=do: answers.append(deployer.ask(do, name="build", seconds=60)))
        for do in ("step", "step", "watch")
    ]
    for one in asks:
        one.start()
        deployer.works_at("build")
    deployer.open("gate")
    for one in asks:
        one.join()
    assert [one["result"] for one in answers] == [{"images": {}}] * 3
    assert deployer.log() == ["begin", "build"]


def test_one_that_goes_away_takes_nothing_with_it(deployer):
    deployer.start({"build": deployer.waits("gate", {"images": {}})})
    deployer.rests()
    raw(deployer.directory, b'{"do": "step", "name": "build", "seconds": 60}\n', reads=False).close()
    deployer.works_at("build")
    deployer.open("gate")
    deployer.rests()
    assert deployer.step("build") == {"images": {}}
    assert deployer.log() == ["begin", "build"]


def test_one_that_does_not_read_its_answer_blocks_nobody_for_long(deployer, monkeypatch):
    monkeypatch.setattr(rpc_server, "SILENT_SECONDS", 0.2)
    deployer.start({"build": lambda _release, _args: {"log": "x" * 5_000_000}})
    deployer.rests()
    deployer.ask("step", name="build")
    deployer.rests()
    with raw(deployer.directory, b'{"do": "watch", "name": "build"}\n', reads=False):
        assert deployer.ask()["step"] == ""
    assert len(deployer.step("build")["log"]) == 5_000_000
    assert deployer.log() == ["begin", "build"]


def test_how_it_stands_is_said_while_a_step_works(deployer):
    def build(release, args):
        events.tell("[web 4/9] RUN pip install")
        return deployer.waits("gate")(release, args)

    deployer.start({"build": build}, usual={"build": 70.0})
    deployer.rests()
    deployer.ask("step", name="build", seconds=0)
    until(lambda: deployer.ask()["event"])
    deployer.clock.move(52)
    stands = deployer.ask()
    assert 52 <= stands["seconds"] < 60
    assert 52 <= stands["silent_seconds"] < 60
    assert {
        name: stands[name] for name in ("id", "step", "usual", "event", "cancel_reason", "next_step_timeout_seconds")
    } == {
        "id": ID,
        "step": "build",
        "usual": 70.0,
        "event": "[web 4/9] RUN pip install",
        "cancel_reason": "",
        "next_step_timeout_seconds": 60,
    }
    answer = deployer.watch("build", after=0)
    assert [one["text"] for one in answer["events"]] == ["[web 4/9] RUN pip install"]
    assert (answer["next"], answer["usual"], answer["ended"]) == (1, 70.0, False)
    assert deployer.watch("build", after=1)["events"] == []
    deployer.open("gate")
    deployer.rests()
    deployer.clock.move(30)
    stands = deployer.ask()
    assert (stands["step"], stands["event"], stands["usual"]) == ("", "", 0)
    assert 30 <= stands["seconds"] < 40
    # What it took, not how long ago it began.
    assert 52 <= deployer.watch("build")["seconds"] < 60


REFUSALS = [
    ({}, ["build"], "switch", "The step switch can't begin while build is at work."),
    ({}, ["build"], "undo", "The step undo can't begin while build is at work."),
    ({}, [], "dance", "There is no step dance."),
    ({}, [], "recover", "There is no step recover."),
]


@pytest.mark.parametrize(("steps", "at_work", "name", "why"), REFUSALS)
def test_what_cannot_begin_is_refused(deployer, steps, at_work, name, why):
    deployer.start({**steps, "build": deployer.waits("gate")})
    deployer.rests()
    for one in at_work:
        deployer.ask("step", name=one)
    with pytest.raises(JunoError) as error:
        deployer.step(name)
    assert error.value.message == why
    assert error.value.details == {"deployer": "refused"}
    deployer.open("gate")
    deployer.rests()
    assert deployer.log() == ["begin", *at_work]


def test_what_was_not_begun_cannot_be_watched(deployer):
    deployer.start({})
    deployer.rests()
    assert deployer.watch("switch") == {"refused": "The step switch was not begun."}


def test_it_begins_once(deployer):
    deployer.start({"begin": deployer.waits("gate", {"begun": True})})
    assert not deployer.ask("step", name="begin")["ended"]
    deployer.open("gate")
    deployer.rests()
    assert deployer.ask("step", name="begin")["result"] == {"begun": True}
    assert deployer.ask("step", name="begin") == {"refused": "There is no step begin."}
    assert deployer.log() == ["begin"]


@pytest.mark.parametrize("name", ["build", "switch", "record", "undo"])
def test_nothing_begins_when_the_lock_is_free(deployer, name):
    """Somebody else may hold it."""
    deployer.start({"begin": lambda _release, _args: {"begun": False}})
    until(deployer.is_free)
    with pytest.raises(JunoError, match=f"The step {name} can't begin, because this release is over"):
        deployer.step(name)
    assert deployer.log() == ["begin"]


def fails(_release, _args):
    raise JunoError("It failed.")


@pytest.mark.parametrize("name", ["switch", "record", "verify"])
def test_nothing_but_the_undo_begins_in_the_undo(deployer, name):
    deployer.start({"build": fails, "undo": fails})
    deployer.rests()
    with pytest.raises(JunoError, match="It failed"):
        deployer.step("build")
    until(lambda: "undo" in deployer.log())
    deployer.rests()
    with pytest.raises(JunoError, match=f"The step {name} can't begin, because this release is being undone"):
        deployer.step(name)
    assert deployer.log() == ["begin", "build", "undo"]


def open_files(process):
    return sorted(os.listdir(f"/proc/{process.pid}/fd"))


def children(process):
    """Return the children of a process, also those that have ended and nobody has looked after."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as file:
        return file.read().split()


def test_nothing_is_left_of_200_questions_and_20_steps(deployer):
    deployer.start({})
    deployer.rests()
    deployer.step("build")
    before = open_files(deployer.process)
    for number in range(200):
        deployer.watch("build", after=number)
        deployer.ask()
        if number % 10 == 0:
            deployer.step("verify")
            raw(deployer.directory, b"garbage\n")
            raw(deployer.directory, b"", reads=False).close()
    until(lambda: open_files(deployer.process) == before)
    assert children(deployer.process) == []


def worked_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_to_be_watched_costs_nothing(deployer):
    deployer.start({"build": deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name="build")
    before = worked_seconds(deployer.process)
    for _again in range(2):
        assert not deployer.watch("build", seconds=0.5)["ended"]
    assert worked_seconds(deployer.process) - before < 0.2
    deployer.open("gate")


def test_the_steps_do_not_have_its_socket(deployer):
    deployer.start({"build": deployer.waits("gate")})
    deployer.rests()
    with raw(deployer.directory, b"", reads=False):
        deployer.ask("step", name="build")
        own = {os.readlink(f"/proc/{deployer.process.pid}/fd/{one}") for one in open_files(deployer.process)}
        (step,) = (one for one in processes.tree(deployer.process) if one != deployer.process)

        def both() -> set[str]:
            found = set()
            for one in open_files(step):
                with contextlib.suppress(FileNotFoundError):
                    found.add(os.readlink(f"/proc/{step.pid}/fd/{one}"))
            return own & found

        assert any(one.startswith("socket:") for one in own)
        # It closes them one after the other.
        until(lambda: not [one for one in both() if one.startswith("socket:")])
        assert f"{deployer.directory}/lock" in both()
    deployer.open("gate")


def test_the_socket_is_gone_when_it_has_ended(deployer):
    deployer.start({})
    deployer.rests()
    began = time.monotonic()
    deployer.step("record")
    until(deployer.has_ended)
    assert time.monotonic() - began < running_deployer.LONG_SECONDS / 2
    with pytest.raises(JunoError, match="not there any more"):
        deployer.step("record")
