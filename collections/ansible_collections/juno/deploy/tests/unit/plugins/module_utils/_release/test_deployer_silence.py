# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployer whose controller is silent, and the next deploy, which asks it to cancel its run."""

from __future__ import annotations

import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot
from ansible_collections.juno.deploy.plugins.module_utils._release import deployer as release_deployer
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import running_deployer
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.running_deployer import until

CANCELLED = "This run was cancelled, since "


def settle(deployer):
    """Let it look at its clock a few times."""
    for _again in range(5):
        deployer.ask()
        time.sleep(0.02)


@pytest.mark.parametrize("at", ["begin", "build", "switch", "verify"])
def test_it_recovers_when_its_controller_is_silent(deployer, at, tmp_path):
    deployer.start({"recover": deployer.waits("gate")})
    (tmp_path / "state/shop/boot.json").write_text("{}")
    deployer.rests()
    for name in ("build", "switch", "verify")[: ("begin", "build", "switch", "verify").index(at)]:
        deployer.step(name)
    deployer.clock.move(58)
    settle(deployer)
    assert deployer.ask()["cancel_reason"] == ""
    deployer.clock.move(3)
    deployer.works_at("recover")
    assert deployer.ask()["cancel_reason"] == "its controller was not heard from for too long"
    assert not deployer.is_free()
    deployer.open("gate")
    until(deployer.has_ended)
    assert deployer.is_free()
    assert deployer.last_record().id == running_deployer.ID  # the next one says whose place it takes
    assert not (tmp_path / "state/shop/boot.json").exists()
    assert deployer.log()[-2:] == [at, "recover"]


def test_each_word_of_its_controller_counts(deployer):
    deployer.start({})
    deployer.rests()
    for _again in range(3):
        deployer.clock.move(40)
        assert deployer.watch("begin")["ended"]
    deployer.clock.move(14)
    # Neither what others ask nor what makes no sense is a word of the controller.
    deployer.ask()
    deployer.ask("cancel")
    deployer.ask("step", name="dance")
    assert running_deployer.raw(deployer.directory, b"x\n") is None
    deployer.clock.move(47)
    until(deployer.has_ended)


def test_it_is_patient_while_a_step_is_at_work(deployer):
    deployer.start({"build": deployer.waits("gate", {"images": {}})})
    deployer.rests()
    deployer.ask("step", name="build")
    deployer.clock.move(5000)
    settle(deployer)
    assert deployer.ask()["step"] == "build"
    deployer.open("gate")
    deployer.rests()
    deployer.clock.move(58)
    settle(deployer)
    assert deployer.step("build") == {"images": {}}
    assert deployer.log() == ["begin", "build"]


@pytest.mark.parametrize(
    ("how", "log"),
    [
        # By the modules, as the begin is watched, the step begun, and one that was begun by itself asked for.
        (lambda it: it.watch("begin", next_step_timeout=500), ["begin"]),
        (lambda it: it.step("build", next_step_timeout=500), ["begin", "build"]),
    ],
)
def test_the_next_step_timeout_that_was_announced(deployer, how, log):
    deployer.start({})
    deployer.rests()
    how(deployer)
    deployer.clock.move(490)
    settle(deployer)
    assert deployer.ask()["cancel_reason"] == ""
    assert deployer.ask()["next_step_timeout_seconds"] == 500
    deployer.clock.move(11)
    until(deployer.has_ended)
    assert deployer.log() == [*log, "recover"]


def test_the_next_step_timeout_of_a_step_that_had_ended_before_it_was_asked_for(deployer):
    deployer.start({"build": deployer.waits("gate")}, auto_continue=True)
    deployer.works_at("build")
    deployer.clock.move(release_deployer.FOLLOWED_SECONDS)
    deployer.open("gate")
    deployer.rests()
    # Its result is fetched by a look, so that nothing follows.
    deployer.watch("build", next_step_timeout=500)
    deployer.clock.move(490)
    settle(deployer)
    assert deployer.ask()["cancel_reason"] == ""


def test_the_next_step_timeout_of_a_begin_is_known_before_that_has_ended(deployer):
    deployer.start({"begin": deployer.waits("gate", {"begun": True})})
    deployer.watch("begin", next_step_timeout=500)
    deployer.watch("begin")
    deployer.open("gate")
    deployer.rests()
    deployer.clock.move(490)
    settle(deployer)
    assert deployer.ask()["cancel_reason"] == ""


def test_the_next_step_timeout_is_for_one_step(deployer):
    deployer.start({})
    deployer.rests()
    deployer.step("build", next_step_timeout=500)
    deployer.step("switch")
    deployer.clock.move(61)
    until(deployer.has_ended)


@pytest.mark.parametrize("jump", [-3600, 3600, 10_000_000])
def test_a_clock_that_is_set_changes_nothing(deployer, jump):
    began = time.time()
    deployer.start({"build": lambda _release, _args: {}}, wall=lambda: began + jump * (time.monotonic() % 2 > 1))
    deployer.rests()
    ends = time.monotonic() + 1.2
    while time.monotonic() < ends:
        settle(deployer)
    assert deployer.ask()["cancel_reason"] == ""
    assert not deployer.ask("cancel")["cancelled"]
    deployer.step("build")
    deployer.step("record")
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "build", "record"]


def often_fails(deployer, times):
    def work(_release, _args):
        if deployer.log().count("recover") <= times:
            raise JunoError("The Engine is away.")
        return {}

    return work


def breaks(_release, _args):
    raise KeyError("nobody foresaw it")


def test_it_tries_to_recover_until_it_works(deployer, tmp_path):
    deployer.start({"recover": often_fails(deployer, 3)})
    deployer.rests()
    deployer.clock.move(61)
    for count in (1, 2, 3):
        until(lambda count=count: deployer.log().count("recover") == count)
        deployer.rests()
        deployer.clock.move(8)
        settle(deployer)
        assert deployer.log().count("recover") == count
        assert not deployer.is_free()
        deployer.clock.move(3)
    until(deployer.has_ended)
    assert deployer.code == 0
    assert deployer.log() == ["begin", *["recover"] * 4]
    lines = (tmp_path / "state/shop/deployer.errors").read_text().splitlines()
    assert [line[21:] for line in lines] == ["The Engine is away."] * 3


def test_whatever_keeps_it_from_recovering_is_tried_again_but_not_for_ever(deployer, monkeypatch, tmp_path):
    monkeypatch.setattr(release_deployer, "TRIES", 2)
    deployer.start({"recover": breaks})
    (tmp_path / "state/shop/boot.json").write_text("{}")
    deployer.rests()
    deployer.clock.move(61)
    until(lambda: deployer.log().count("recover") == 1)
    deployer.rests()
    deployer.clock.move(10)
    until(deployer.has_ended)
    assert deployer.is_free()
    assert deployer.log() == ["begin", "recover", "recover"]
    assert (tmp_path / "state/shop/boot.json").exists()
    assert "KeyError: 'nobody foresaw it'" in (tmp_path / "state/shop/deployer.errors").read_text()


def test_a_full_disk_does_not_keep_it_from_trying_again(deployer):
    deployer.start({"recover": often_fails(deployer, 1)}, errors="/dev/full")
    deployer.rests()
    deployer.clock.move(61)
    until(lambda: deployer.log().count("recover") == 1)
    deployer.rests()
    deployer.clock.move(10)
    until(deployer.has_ended)
    assert deployer.code == 0
    assert deployer.log() == ["begin", "recover", "recover"]


def test_recovering_may_take_its_time(deployer):
    """Also where a step had to be ended for it."""
    deployer.start({"build": deployer.waits("never"), "recover": deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name="build")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    deployer.clock.move(release_deployer.GRACE_SECONDS)
    deployer.works_at("recover")
    for _again in range(4):
        deployer.clock.move(100)
        settle(deployer)
    assert deployer.ask()["step"] == "recover"
    deployer.open("gate")
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "build", "recover"]


def test_a_begin_that_fails_over_an_interrupted_release_goes_on_trying(deployer, tmp_path):
    def begin(_release, _args):
        raise JunoError("The Engine is away.")

    (tmp_path / "state/shop").mkdir(parents=True)
    journal.write(f"{tmp_path}/state/shop/journal.json", [journal.Entry(number=1, outcome="started")])
    deployer.start({"begin": begin, "recover": often_fails(deployer, 1)})
    deployer.rests()
    words = "The Engine is away. This host goes on trying by itself: see the playbook juno.deploy.status."
    assert deployer.watch("begin")["failure"]["msg"] == words
    assert not deployer.is_free()
    assert deployer.log() == ["begin"]
    for count in (1, 2):
        deployer.clock.move(11)
        until(lambda count=count: deployer.log().count("recover") == count)
        if count == 1:
            deployer.rests()
    until(deployer.has_ended)
    assert deployer.is_free()


@pytest.mark.parametrize(
    ("silent", "dead", "cancelled"),
    [
        (0, False, False),
        (14, False, False),
        (16, False, True),
        (0, True, True),
    ],
)
def test_it_is_cancelled_for_the_next_one_where_its_controller_is_dead_or_silent(deployer, silent, dead, cancelled):
    deployer.start({"recover": deployer.waits("gate")})
    deployer.rests()
    deployer.watch("begin")
    deployer.clock.move(silent)
    for _again in range(2):
        assert deployer.ask("cancel", dead=dead)["cancelled"] == cancelled
    assert deployer.ask()["cancel_reason"] == ("the next deploy came" if cancelled else "")
    deployer.open("gate")
    if cancelled:
        until(deployer.has_ended)
    assert deployer.log() == ["begin", "recover"][: 1 + cancelled]


def test_it_is_not_cancelled_in_a_hook_that_was_announced(deployer):
    deployer.start({})
    deployer.rests()
    deployer.step("build", next_step_timeout=500)
    deployer.clock.move(440 + 14)
    assert not deployer.ask("cancel")["cancelled"]
    deployer.clock.move(2)
    assert deployer.ask("cancel")["cancelled"]
    until(deployer.has_ended)


def test_in_a_step_silence_is_shorter(deployer):
    """Its controller asks all the time how that goes on."""
    deployer.start({"switch": deployer.waits("never")})
    deployer.rests()
    deployer.step("build", next_step_timeout=500)
    deployer.ask("step", name="switch", next_step_timeout=500)
    deployer.clock.move(14)
    assert not deployer.ask("cancel")["cancelled"]
    deployer.clock.move(2)
    assert deployer.ask("cancel")["cancelled"]


def test_a_step_that_is_at_work_may_end_within_its_grace(deployer):
    deployer.start({"build": deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name="build")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    deployer.clock.move(release_deployer.GRACE_SECONDS - 1)
    settle(deployer)
    assert deployer.ask()["step"] == "build"
    deployer.open("gate")
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "build", "recover"]


def test_a_step_that_is_at_work_is_ended_after_its_grace(deployer):
    def build(_release, _args):
        try:
            until(lambda: False)
        finally:
            deployer.note("the build tidies up")

    deployer.start({"build": build})
    deployer.rests()
    deployer.ask("step", name="build")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    children = [one for one in processes.tree(deployer.process) if one != deployer.process]
    deployer.clock.move(release_deployer.GRACE_SECONDS + 1)
    until(deployer.has_ended)
    assert not any(one.is_alive() for one in children)
    assert deployer.log() == ["begin", "build", "the build tidies up", "recover"]


@pytest.mark.parametrize("name", ["undo", "record"])
def test_the_last_step_is_not_ended_for_the_next_deploy(deployer, name):
    deployer.start({name: deployer.waits("gate")})
    deployer.rests()
    deployer.ask("step", name=name)
    assert deployer.ask("cancel", dead=True)["cancelled"]
    deployer.clock.move(1000)
    settle(deployer)
    assert deployer.ask()["step"] == name
    deployer.open("gate")
    until(deployer.has_ended)
    assert deployer.log() == ["begin", name, "recover"]


def test_the_next_one_may_try_where_this_one_waits_to_try_again(deployer, tmp_path):
    deployer.start({"recover": often_fails(deployer, 9)})
    (tmp_path / "state/shop/boot.json").write_text("{}")
    deployer.rests()
    assert deployer.ask("cancel", dead=True)["cancelled"]
    until(lambda: deployer.log().count("recover") == 1)
    deployer.rests()
    assert deployer.ask("cancel", dead=True)["cancelled"]
    until(deployer.has_ended)
    assert deployer.is_free()
    assert (tmp_path / "state/shop/boot.json").exists()
    assert deployer.log() == ["begin", "recover"]


def test_the_next_one_may_try_where_the_undo_waits_to_be_tried_again(deployer):
    deployer.start({"undo": breaks, "recover": breaks})
    deployer.rests()
    with pytest.raises(JunoError, match="nobody foresaw it"):
        deployer.step("undo")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    until(lambda: deployer.log().count("recover") == 1)
    deployer.rests()
    assert deployer.ask("cancel")["cancelled"]
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "undo", "recover"]


@pytest.mark.parametrize("name", ["build", "switch", "undo", "record", "begin"])
def test_a_late_controller_gets_one_clear_refusal(deployer, name):
    deployer.start({"recover": deployer.waits("gate")})
    deployer.rests()
    deployer.step("build")
    deployer.clock.move(61)
    deployer.works_at("recover")
    for _again in range(2):
        with pytest.raises(JunoError, match=f"^{CANCELLED}its controller was not heard from for too long, so") as error:
            deployer.step(name)
        assert error.value.details == {"deployer": "refused"}
    assert CANCELLED in deployer.watch(name)["refused"]
    deployer.open("gate")
    until(deployer.has_ended)
    with pytest.raises(JunoError, match="not there any more"):
        deployer.step(name)
    assert deployer.log() == ["begin", "build", "recover"]


def test_one_that_waits_for_a_step_that_is_ended_hears_that(deployer):
    deployer.start({"build": deployer.waits("never"), "recover": deployer.waits("gate")})
    deployer.rests()
    link = running_deployer.raw(deployer.directory, b'{"do": "step", "name": "build", "seconds": 60}\n', reads=False)
    deployer.works_at("build")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    deployer.clock.move(release_deployer.GRACE_SECONDS)
    with link:
        assert b"ended with code 1 before it was done" in link.recv(65536)
    deployer.open("gate")


def test_a_begin_that_is_cancelled(deployer):
    deployer.start({"begin": deployer.waits("gate", {"begun": True})})
    deployer.works_at("begin")
    assert deployer.ask("cancel", dead=True)["cancelled"]
    deployer.open("gate")
    until(deployer.has_ended)
    assert deployer.log() == ["begin", "recover"]
    assert not deployer_armed(deployer)


def deployer_armed(deployer):
    try:
        open(boot.spec_path(deployer.directory)).close()
    except FileNotFoundError:
        return False
    return True


def test_who_comes_when_it_is_over_may_go_on(deployer):
    deployer.start({})
    deployer.rests()
    deployer.ask("step", name="record", seconds=0)
    until(deployer.is_free)
    if not deployer.has_ended():
        assert deployer.ask("cancel")["cancelled"]
