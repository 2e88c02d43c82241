# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployer does the steps of a release: real processes, a real socket, a real lock."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot
from ansible_collections.juno.deploy.plugins.module_utils._release import deployer as release_deployer
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import running_deployer
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.running_deployer import ID, until


def fails(words="It failed."):
    def work(_release, _args):
        raise JunoError(words, servers=["a"])

    return work


def test_a_release(deployer):
    def build(release, args):
        events.tell("pulls")
        return {"images": {"web": release.result("begin")["image"]}, **args}

    def record(release, _args):
        return {"built": release.result("build"), "steps": sorted(release.seconds)}

    def begin(_release, _args):
        return {"begun": True, "image": "sha256:1"}

    deployer.start({"begin": begin, "build": build, "record": record})
    until(lambda: deployer.watch("begin", seconds=1).get("result"))
    assert deployer.step("build", {"cache_version": {"value": 7}}) == {
        "images": {"web": "sha256:1"},
        "cache_version": {"value": 7},
        "events": ["pulls"],
    }
    for name in ("migrate", "switch", "clear", "verify"):
        assert deployer.step(name) == {}
    assert not deployer.is_free()
    assert deployer.step("record") == {
        "built": {"images": {"web": "sha256:1"}, "cache_version": {"value": 7}},
        "steps": ["begin", "build", "clear", "migrate", "switch", "verify"],
    }
    assert deployer.is_free()
    assert deployer.last_record() is None
    until(deployer.has_ended)
    assert deployer.code == 0
    assert deployer.log() == ["begin", "build", "migrate", "switch", "clear", "verify", "record"]


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        (lambda _release, _args: {"begun": False}, {"result": {"begun": False}}),
        (fails("It is in the way."), {"failure": {"msg": "It is in the way.", "servers": ["a"]}}),
    ],
)
def test_it_is_over_where_there_is_nothing_to_do(deployer, begin, expected):
    deployer.start({"begin": begin})
    until(deployer.is_free)
    assert not deployer.has_ended()  # its controller does not know yet
    answer = deployer.watch("begin", seconds=1)
    assert {name: answer.get(name) for name in expected} == expected
    until(deployer.has_ended)
    assert deployer.code == 0
    assert not os.path.exists(rpc.socket_path(deployer.directory, ID)) or deployer.log() == ["begin"]


def test_after_the_last_step_the_lock_is_free_while_the_result_can_still_be_fetched(deployer):
    deployer.start({"record": deployer.waits("gate", {"recorded": True})})
    deployer.rests()
    assert not deployer.ask("step", name="record")["ended"]
    deployer.open("gate")
    until(deployer.is_free)
    assert deployer.step("record") == {"recorded": True}
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "record"]


def test_the_result_of_the_last_step_waits_as_long_as_the_controller_may_be_silent(deployer):
    deployer.start({"record": deployer.waits("gate", {"recorded": True})})
    deployer.rests()
    deployer.ask("step", name="record", next_step_timeout=600)
    deployer.open("gate")
    until(deployer.is_free)
    deployer.clock.move(500)
    assert deployer.step("record") == {"recorded": True}
    until(deployer.has_ended)


def test_a_result_that_nobody_fetches_does_not_keep_it_for_ever(deployer):
    deployer.start({"record": deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name="record")
    deployer.open("gate")
    until(deployer.is_free)
    deployer.clock.move(61)
    until(deployer.has_ended)
    assert deployer.code == 0


def test_a_result_may_be_fetched_twice(deployer):
    deployer.start({"build": lambda _release, _args: {"images": {}}})
    deployer.rests()
    first = deployer.ask("step", name="build", seconds=30)
    assert first["result"] == {"images": {}}
    assert deployer.watch("build")["result"] == first["result"]
    assert deployer.watch("build", after=1)["result"] == first["result"]
    assert deployer.log() == ["begin", "build"]


def test_a_step_may_be_done_again(deployer):
    deployer.start({})
    deployer.rests()
    for _again in range(2):
        assert deployer.step("verify") == {}
    assert deployer.log() == ["begin", "verify", "verify"]


def undo(deployer):
    """Return an undo that says from what it comes."""

    def work(release, args):
        deployer.note("from", *release.failures, args.get("reason", ""))
        return {"undone": True}

    return work


@pytest.mark.parametrize("name", ["build", "migrate", "switch", "clear", "verify", "settle"])
def test_the_undo_follows_a_failed_step_at_once(deployer, name):
    deployer.start({name: fails(), "undo": undo(deployer)})
    deployer.rests()
    deployer.ask("step", name=name)
    until(deployer.is_free)
    with pytest.raises(JunoError, match=r"^It failed\.$") as error:
        deployer.step(name)
    assert error.value.details["servers"] == ["a"]
    assert deployer.step("undo", {"reason": "of the controller"}) == {"undone": True}
    until(deployer.has_ended)
    assert deployer.log() == ["begin", name, "undo", f"from {name} "]


def test_the_controller_may_want_the_undo_itself(deployer):
    deployer.start({"undo": undo(deployer)})
    deployer.rests()
    deployer.step("build")
    assert deployer.step("undo", {"reason": "a hook failed"}) == {"undone": True}
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "build", "undo", "from a hook failed"]


def test_what_is_verified_is_not_undone_because_it_could_not_be_recorded(deployer):
    deployer.start({"record": fails()})
    deployer.rests()
    with pytest.raises(JunoError):
        deployer.step("record")
    assert deployer.ask()["step"] == ""
    assert not deployer.is_free()
    deployer.clock.move(61)
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "record", "recover"]


def often_fails(deployer, name, times):
    def work(_release, args):
        deployer.note("with", args.get("reason", ""))
        if deployer.log().count(name) <= times:
            raise JunoError("The Engine is away.")
        return {"undone": True}

    return work


def test_an_undo_that_failed_is_tried_again_by_itself(deployer):
    deployer.start({"build": fails(), "undo": often_fails(deployer, "undo", 2)})
    deployer.rests()
    deployer.ask("step", name="build")
    until(lambda: deployer.watch("undo").get("failure"))
    assert deployer.log().count("undo") == 1
    for count in (2, 3):
        deployer.clock.move(10)
        until(lambda count=count: deployer.log().count("undo") == count)
        deployer.rests() if count == 2 else until(deployer.is_free)
    deployer.clock.move(6)
    until(deployer.has_ended)
    assert deployer.code == 0


def test_one_that_nobody_has_heard_of_yet_is_waited_for(deployer):
    deployer.start({"build": fails(), "undo": often_fails(deployer, "undo", 1)})
    deployer.rests()
    deployer.ask("step", name="build")
    until(lambda: deployer.log().count("undo") == 1)
    deployer.rests()
    deployer.clock.move(10)
    until(deployer.is_free)
    with pytest.raises(JunoError, match="It failed"):
        deployer.step("build")
    assert deployer.step("undo") == {"undone": True}
    until(deployer.has_ended)


def test_an_undo_that_failed_is_tried_again_when_it_is_asked_for(deployer):
    deployer.start({"undo": often_fails(deployer, "undo", 2)})
    deployer.rests()
    for _again in range(2):
        with pytest.raises(JunoError, match="The Engine is away"):
            deployer.step("undo", {"reason": "a hook failed"})
        assert not deployer.is_free()
    assert deployer.step("undo", {"reason": "a hook failed"}) == {"undone": True}
    until(deployer.has_ended)
    assert deployer.log() == ["begin", *["undo", "with a hook failed"] * 3]


def test_it_says_in_its_file_why_the_undo_failed(deployer, tmp_path):
    deployer.start({"undo": often_fails(deployer, "undo", 1)})
    deployer.rests()
    deployer.ask("step", name="undo", args={"reason": "a hook failed"}, seconds=30)
    deployer.clock.move(10)
    # Nobody waits for the second try, so it ends soon after that.
    until(deployer.is_free)
    deployer.clock.move(6)
    until(deployer.has_ended)
    assert (tmp_path / "state/shop/deployer.errors").read_text().endswith("Z The Engine is away.\n")
    assert deployer.log() == ["begin", *["undo", "with a hook failed"] * 2]


@pytest.mark.parametrize("tries", [1, 3])
def test_an_undo_that_cannot_be_is_tried_no_more_at_last(deployer, monkeypatch, tries):
    monkeypatch.setattr(release_deployer, "TRIES", tries)
    deployer.start({"build": fails(), "undo": fails("Never.")})
    arm(deployer)
    deployer.rests()
    deployer.ask("step", name="build")
    for count in range(1, tries + 1):
        until(lambda count=count: deployer.log().count("undo") == count)
        deployer.rests()
        deployer.clock.move(10)
    until(deployer.is_free)
    assert is_armed(deployer)
    with pytest.raises(JunoError, match="Never"):
        deployer.step("undo")
    until(deployer.has_ended)
    assert deployer.code == 0


def arm(deployer):
    with open(boot.spec_path(deployer.directory), "w", encoding="utf-8") as file:
        file.write("{}")


def is_armed(deployer):
    """Return whether a reboot would tidy up."""
    return os.path.exists(boot.spec_path(deployer.directory))


@pytest.mark.parametrize(
    ("steps", "last", "armed"),
    [
        ({}, "record", False),
        ({}, "undo", False),
        ({"begin": fails()}, "begin", True),
        ({"begin": lambda _release, _args: {"begun": False}}, "begin", False),
    ],
)
def test_a_reboot_has_nothing_to_recover_after_what_went_well(deployer, steps, last, armed):
    os.makedirs(deployer.directory)
    arm(deployer)
    deployer.start(steps)
    if last != "begin":
        deployer.rests()
        deployer.ask("step", name=last)
    until(deployer.is_free)
    assert is_armed(deployer) == armed


ROW = ["begin", "build", "switch", "clear", "verify", "record"]


def test_the_steps_follow_by_themselves(deployer):
    steps = {name: deployer.waits(name, {"did": name}) for name in ROW[1:]}
    deployer.start(steps, auto_continue=True)
    deployer.works_at("build")
    assert deployer.watch("begin", seconds=1)["result"] == {"begun": True}
    assert not deployer.ask("step", name="build", args={"cache_version": {}})["ended"]
    for name in ROW[1:]:
        deployer.works_at(name)
        deployer.open(name)
        assert deployer.step(name) == {"did": name}
    until(deployer.has_ended)
    assert deployer.log() == ROW


def test_what_has_followed_by_itself_comes_along(deployer):
    deployer.start({"build": lambda _release, _args: {"images": {}}}, auto_continue=True)
    until(lambda: deployer.log()[-1:] == ["record"])
    until(deployer.is_free)
    assert deployer.step("build") == {"images": {}}
    assert sorted(deployer.known) == ["clear", "record", "switch", "verify"]
    assert deployer.known["verify"]["progress"]["ended"]
    # The controller knows all; it could not keep it, perhaps.
    assert deployer.step("verify") == {}
    deployer.clock.move(6)
    until(deployer.has_ended)
    assert deployer.log() == ROW


def test_a_result_with_warnings_waits_until_its_task_asks_though_the_release_is_over(deployer):
    deployer.start({"verify": lambda _release, _args: {"warnings": ["w"]}}, auto_continue=True)
    until(deployer.is_free)
    deployer.step("build")
    assert sorted(deployer.known) == ["clear", "record", "switch"]
    deployer.clock.move(20)
    for _again in range(5):
        deployer.ask()
    assert deployer.step("verify") == {"warnings": ["w"]}
    deployer.clock.move(6)
    until(deployer.has_ended)
    assert deployer.log() == ROW


@pytest.mark.parametrize("purpose", ["deploy", "rollback", "restart"])
def test_nothing_follows_a_begin_that_failed(deployer, purpose):
    deployer.start({"begin": fails("It is in the way.")}, auto_continue=True, purpose=purpose)
    until(deployer.is_free)
    assert deployer.watch("begin", seconds=1)["failure"]["msg"] == "It is in the way."
    until(deployer.has_ended)
    assert (deployer.code, deployer.log()) == (0, ["begin"])


def test_warnings_and_failures_do_not_come_along(deployer):
    deployer.start({"switch": lambda _release, _args: {"warnings": ["w"]}, "verify": fails()}, auto_continue=True)
    until(lambda: "undo" in deployer.log())
    deployer.rests()
    deployer.step("build")
    assert list(deployer.known) == ["clear"]
    assert deployer.step("switch") == {"warnings": ["w"]}
    with pytest.raises(JunoError, match="It failed"):
        deployer.step("verify")
    assert deployer.step("undo") == {}
    assert deployer.log() == [*ROW[:-1], "undo"]


def test_a_migration_follows_where_the_build_says_so(deployer):
    deployer.start({"build": lambda _release, _args: {"migrates": True}}, auto_continue=True)
    until(deployer.is_free)
    assert deployer.log() == ["begin", "build", "migrate", *ROW[2:]]


def test_nothing_follows_a_step_in_which_the_controller_fell_silent(deployer):
    deployer.start({"build": deployer.waits("gate")}, auto_continue=True)
    deployer.works_at("build")
    deployer.clock.move(release_deployer.FOLLOWED_SECONDS)
    deployer.open("gate")
    deployer.rests()
    assert deployer.log() == ["begin", "build"]
    # It was slow, and not dead.
    deployer.step("build")
    deployer.step("switch")
    until(lambda: "record" in deployer.log())


def test_one_who_waits_is_not_silent(deployer):
    deployer.start({"build": deployer.waits("gate")}, auto_continue=True)
    deployer.works_at("build")
    asked = b'{"do": "step", "name": "build", "seconds": 9999}\n'
    with running_deployer.raw(deployer.directory, asked, reads=False) as link:
        deployer.ask()
        deployer.clock.move(100)
        deployer.open("gate")
        assert link.recv(65536)
    until(lambda: "switch" in deployer.log())


def test_a_task_that_asks_again_gets_what_it_got(deployer):
    deployer.start({"build": lambda _release, _args: {"images": {}}})
    deployer.rests()
    for _again in range(2):
        assert deployer.step("build", task="a") == {"images": {}}
    deployer.step("build", task="b")
    assert deployer.log() == ["begin", "build", "build"]


def test_a_build_that_fails_at_once_is_undone_at_once(deployer):
    deployer.start({"build": fails()}, auto_continue=True)
    until(deployer.is_free)
    assert deployer.watch("begin", seconds=1)["result"] == {"begun": True}
    with pytest.raises(JunoError, match="It failed"):
        deployer.step("build")
    assert deployer.step("undo") == {}
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "build", "undo"]


def test_nothing_is_built_at_once_where_nothing_is_to_be_done(deployer):
    deployer.start({"begin": lambda _release, _args: {"begun": False}}, auto_continue=True)
    until(deployer.is_free)
    assert deployer.log() == ["begin"]


@pytest.mark.parametrize(
    ("calls", "log", "failing"),
    [
        ((0,), [], "begin"),
        ((1,), ["begin", "undo"], "build"),
        ((1, 2), ["begin", "undo"], "build"),
    ],
)
def test_where_no_process_can_be_made(deployer, calls, log, failing):
    deployer.start({}, fails_to_fork=calls)
    if failing == "begin":
        assert "can start no process" in deployer.watch("begin")["failure"]["msg"]
    else:
        deployer.rests()
        with pytest.raises(JunoError, match="This host can start no process for the step build"):
            deployer.step("build")
        deployer.clock.move(10)
    until(deployer.is_free)
    assert deployer.log() == log


def test_a_step_that_is_killed_is_one_that_failed(deployer):
    deployer.start({"build": deployer.waits("never")})
    deployer.rests()
    deployer.ask("step", name="build")
    children = [one for one in processes.tree(deployer.process) if one != deployer.process]
    assert len(children) == 1
    os.kill(children[0].pid, 9)
    with pytest.raises(JunoError, match="The process of the step build ended with signal 9 before it was done"):
        deployer.step("build")
    deployer.step("undo")
    until(deployer.has_ended)


def test_a_killed_deployer_leaves_the_lock_to_its_step(deployer):
    deployer.start({"build": deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name="build")
    os.kill(deployer.process.pid, 9)
    until(deployer.has_ended)
    assert not deployer.is_free()
    with pytest.raises(rpc.NobodyError):  # the step does not answer in its place
        deployer.ask()
    with pytest.raises(JunoError, match="not there any more") as error:
        deployer.step("switch")
    assert error.value.details["deployer"] == "gone"
    deployer.open("gate")
    until(deployer.is_free)
    assert deployer.log() == ["begin", "build"]


def test_a_killed_deployer_that_rests_holds_nothing(deployer):
    deployer.start({})
    deployer.rests()
    os.kill(deployer.process.pid, 9)
    until(deployer.has_ended)
    assert deployer.is_free()
