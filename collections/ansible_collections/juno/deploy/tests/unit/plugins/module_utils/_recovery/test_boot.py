# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written for a reboot in the middle of a release, and done after; with a real systemd in molecule/reboot."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot as it
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

CACHES = {"method": "memcached"}
BEFORE = Before("a" * 40, {})
NAMES = ["juno-deploy-jobs-checkout.service", "juno-deploy-jobs-recover.service"]


@pytest.fixture
def app(tmp_path, monkeypatch):
    made = App(str(tmp_path / "code"), "jobs", "web", ("queue",), (), "", str(tmp_path / "state"))
    os.makedirs(made.state_directory)
    (tmp_path / "booted").mkdir()
    monkeypatch.setattr(it, "SYSTEMD", str(tmp_path / "booted"))
    monkeypatch.setattr(it, "UNITS", str(tmp_path / "units"))
    return made


@pytest.fixture
def booted(monkeypatch):
    """Let the host boot; note what is done then."""
    done = []
    monkeypatch.setattr(it.restore_site, "restore_checkout", lambda _run, app, _entry: done.append(("moved", app)))

    def recover(_run, app, caches):
        assert lock.take(app.state_directory) is None
        done.append(("recovered", app, caches))
        return {}

    monkeypatch.setattr(it.recovery_recover, "recover_unattended", recover)

    def boot():
        monkeypatch.setattr(it, "this_boot", lambda: "another")
        return done

    return boot


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(it, "TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(it, "TRY_AGAIN_SECONDS", 0.02)


def arm(app):
    return it.arm(app, specs.release(caches=CACHES), "/kept/abc")


def is_armed(app):
    return os.path.exists(it.spec_path(app.state_directory))


def begun(app, **fields):
    known = {"number": 1, "outcome": "started", "step": "switched"}
    journal.write(app.journal, [journal.Entry(**{**known, **fields})])


def test_two_units_are_enabled_one_before_the_engine_and_one_after_it(app, tmp_path):
    assert arm(app) == ""
    units = tmp_path / "units"
    texts = [(units / name).read_text() for name in NAMES]
    assert [("Before=docker.service" in one, "After=docker.service" in one) for one in texts] == [
        (True, False),
        (False, True),
    ]
    assert all(f"ConditionPathExists={app.state_directory}/boot.json\n" in one for one in texts)
    assert sorted(os.listdir(units / "multi-user.target.wants")) == NAMES
    spec = json.loads((tmp_path / "state/jobs/boot.json").read_text())
    assert spec["caches"] == specs.release(caches=CACHES)["caches"]
    assert (spec["package"], spec["boot"]) == ("/kept/abc", it.this_boot())
    before = os.stat(units / NAMES[0]).st_ino
    assert arm(app) == ""
    assert os.stat(units / NAMES[0]).st_ino == before


def test_where_there_is_no_systemd_nothing_is_written(app, tmp_path, monkeypatch):
    monkeypatch.setattr(it, "SYSTEMD", "/nosuch")
    assert arm(app) == "systemd does not start this host"
    monkeypatch.setattr(it, "SYSTEMD", str(tmp_path))
    assert arm(dataclasses.replace(app, docker_host="ssh://elsewhere")) == "its Engine is another host's"
    (tmp_path / "units").write_text("")
    assert "can't be written (Not a directory)" in arm(app)
    assert not (tmp_path / "units/multi-user.target.wants").exists()


@pytest.mark.parametrize("what", [it.CHECKOUT, it.RECOVER])
def test_in_the_same_boot_nothing_is_done(app, what, monkeypatch):
    arm(app)
    begun(app, before=BEFORE)
    done = []
    monkeypatch.setattr(it, "give_checkout_back", done.append)
    monkeypatch.setattr(it, "recover", lambda *args: done.append(args))
    it.main(it.spec_path(app.state_directory), what)
    assert (done, is_armed(app)) == ([], True)


@pytest.mark.parametrize(
    ("fields", "moves"),
    [
        ({"before": BEFORE}, True),
        # It serves and is right.
        ({"before": BEFORE, "step": "verified"}, False),
        # Nothing was moved.
        ({"step": "build"}, False),
        ({"before": BEFORE, "outcome": "done"}, False),
    ],
)
def test_the_checkout_goes_back_unless_the_release_was_verified(app, booted, fields, moves):
    arm(app)
    begun(app, **fields)
    done = booted()
    it.main(it.spec_path(app.state_directory), it.CHECKOUT)
    assert done == ([("moved", app)] if moves else [])


def test_an_interrupted_release_is_recovered(app, booted):
    arm(app)
    done = booted()
    it.main(it.spec_path(app.state_directory), it.RECOVER)
    assert done == [("recovered", app, specs.release(caches=CACHES)["caches"])]
    assert not is_armed(app)
    assert free(app)


def test_it_has_the_logins_of_the_interrupted_release_which_go_then(app, booted, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", "/none")
    arm(app)
    registry_logins.write(app, [{"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}])
    monkeypatch.setenv("DOCKER_CONFIG", "/none")
    booted()
    seen = []
    monkeypatch.setattr(
        it.recovery_recover, "recover_unattended", lambda *_any: seen.append(os.environ["DOCKER_CONFIG"]) or {}
    )
    it.main(it.spec_path(app.state_directory), it.RECOVER)
    assert seen == [registry_logins.folder(app)]
    assert not os.path.exists(registry_logins.folder(app))


def free(app):
    """Return whether the next deploy can have the lock, and takes nobody's place."""
    handle = lock.take(app.state_directory)
    if handle is None:
        return False
    known = lock.read(handle)
    os.close(handle)
    return known is None


def killed(app):
    """Leave the record of a deployer that the reboot has ended."""
    handle = lock.take(app.state_directory)
    lock.write(handle, app.state_directory, lock.Holder("one", who="me@here", pid=1, boot="another"))
    os.close(handle)


def test_whoever_has_taken_the_lock_does_it(app, booted):
    arm(app)
    done = booted()
    handle = lock.take(app.state_directory)
    it.main(it.spec_path(app.state_directory), it.RECOVER)
    os.close(handle)
    assert (done, is_armed(app)) == ([], True)


def test_while_it_is_done_the_next_deploy_waits_for_whoever_was_cut_off(app, booted, monkeypatch):
    arm(app)
    killed(app)
    booted()
    seen = []
    monkeypatch.setattr(
        it.recovery_recover, "recover_unattended", lambda *_any: seen.append(lock.holder(app.state_directory)) or {}
    )
    it.main(it.spec_path(app.state_directory), it.RECOVER)
    assert [(one.id, one.who) for one in seen] == [("one", "me@here")]
    assert free(app)


def test_what_stands_in_the_way_may_pass(app, booted, impatient, monkeypatch):
    arm(app)
    done = booted()
    faults, recover = (
        [EngineError("The Engine does not answer."), JunoError("No space left.")],
        it.recovery_recover.recover_unattended,
    )

    def sometimes(*args):
        if faults:
            raise faults.pop(0)
        return recover(*args)

    monkeypatch.setattr(it.recovery_recover, "recover_unattended", sometimes)
    it.main(it.spec_path(app.state_directory), it.RECOVER)
    assert (len(done), is_armed(app)) == (1, False)


def test_that_it_can_not_be_done_ends_the_unit_with_an_error(app, booted, impatient, monkeypatch):
    def refuse(*_any):
        raise JunoError("No space left.")

    arm(app)
    booted()
    monkeypatch.setattr(it.recovery_recover, "recover_unattended", refuse)
    with pytest.raises(JunoError, match=r"of jobs could not be tidied up \(No space left\.\): deploy again"):
        it.main(it.spec_path(app.state_directory), it.RECOVER)
    assert (is_armed(app), free(app)) == (True, True)


def test_it_is_the_undo_of_a_deployer(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.begun(step="build")
    it.recover(world.app, CACHES)
    assert (world.newest().outcome, world.newest().undone) == ("failed", True)
    assert world.newest().figures["reason"] == "the run of me@here ended at 'build' without a word"


def test_units_that_are_installed_find_what_they_run_in_later_versions(app):
    name, text = it.unit(app, it.RECOVER)
    assert name.startswith("juno-")
    assert "module_utils._recovery import boot; boot.main(*sys.argv[1:])" in text
