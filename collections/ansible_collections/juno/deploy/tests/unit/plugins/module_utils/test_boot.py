# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is laid for a reboot in the middle of a release, and done after it; with a real systemd in molecule/reboot."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _boot as it
from ansible_collections.juno.deploy.plugins.module_utils import _journal, _lease
from ansible_collections.juno.deploy.plugins.module_utils._app import App
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

NAMES = ["juno-deploy-jobs-checkout.service", "juno-deploy-jobs-recover.service"]


@pytest.fixture
def app(tmp_path, monkeypatch):
    made = App(str(tmp_path / "code"), "jobs", "web", ("queue",), (), "", str(tmp_path / "state"), lease="one")
    os.makedirs(made.state_directory)
    (tmp_path / "booted").mkdir()
    monkeypatch.setattr(it, "SYSTEMD", str(tmp_path / "booted"))
    monkeypatch.setattr(it, "UNITS", str(tmp_path / "units"))
    _lease.take(made.state_directory, _lease.claim("one", "me@here", "deploy", {}))
    return made


@pytest.fixture
def booted(monkeypatch):
    """Let the host boot; note what is done then."""
    done = []
    monkeypatch.setattr(it._bring_back, "move_back", lambda _run, app, _entry: done.append(("moved", app)))
    monkeypatch.setattr(it._guardian, "stand_in", lambda _run, app, caches: done.append((caches, app)) or True)

    def boot():
        monkeypatch.setattr(it, "this_boot", lambda: "another")
        return done

    return boot


def arm(app):
    return it.arm(app, "one", {"method": "settings"}, "/kept/abc")


def begun(app, **fields):
    _journal.write(app.journal, [{"number": 1, "outcome": "started", "step": "switched", **fields}])


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
    order = json.loads((tmp_path / "state/jobs/boot.json").read_text())
    assert (order["caches"], order["package"], order["boot"]) == ({"method": "settings"}, "/kept/abc", it.this_boot())
    before = os.stat(units / NAMES[0]).st_ino
    assert arm(app) == ""
    assert os.stat(units / NAMES[0]).st_ino == before


def test_the_order_goes_with_the_lease(app):
    arm(app)
    _lease.give_back(app.state_directory, "another")
    assert os.path.exists(_lease.boot_order(app.state_directory))
    _lease.give_back(app.state_directory, "one")
    assert not os.path.exists(_lease.boot_order(app.state_directory))


def test_where_there_is_no_systemd_nothing_is_laid(app, tmp_path, monkeypatch):
    monkeypatch.setattr(it, "SYSTEMD", "/nosuch")
    assert arm(app) == "systemd does not start this host"
    monkeypatch.setattr(it, "SYSTEMD", str(tmp_path))
    assert arm(dataclasses.replace(app, docker_host="ssh://elsewhere")) == "its Engine is another host's"
    (tmp_path / "units").write_text("")
    assert "can't be written (Not a directory)" in arm(app)
    assert not (tmp_path / "units/multi-user.target.wants").exists()


@pytest.mark.parametrize("what", [it.CHECKOUT, it.RECOVER])
def test_in_the_same_boot_nothing_is_done(app, what, booted):
    arm(app)
    begun(app, before={"commit": "a" * 40})
    os.unlink(_lease.alive_path(app.state_directory, "one"))
    it.main(_lease.boot_order(app.state_directory), what)
    assert booted() == []


@pytest.mark.parametrize(
    ("fields", "moves"),
    [
        ({"before": {"commit": "a" * 40}}, True),
        # It serves and is right.
        ({"before": {"commit": "a" * 40}, "step": "proved"}, False),
        # Nothing was moved.
        ({"step": "build"}, False),
        ({"before": {"commit": "a" * 40}, "outcome": "done"}, False),
    ],
)
def test_the_checkout_goes_back_unless_the_release_was_proved(app, booted, fields, moves):
    arm(app)
    begun(app, **fields)
    done = booted()
    it.main(_lease.boot_order(app.state_directory), it.CHECKOUT)
    assert done == ([("moved", app)] if moves else [])


def test_what_is_half_done_is_tidied_up_when_its_controller_is_dead(app, booted):
    arm(app)
    done = booted()
    os.unlink(_lease.alive_path(app.state_directory, "one"))
    it.main(_lease.boot_order(app.state_directory), it.RECOVER)
    assert done == [({"method": "settings"}, app)]


def test_whoever_has_taken_the_lease_does_it(app, booted):
    arm(app)
    done = booted()
    order = _lease.boot_order(app.state_directory)
    os.unlink(_lease.alive_path(app.state_directory, "one"))
    _lease.take(app.state_directory, _lease.claim("two", "she@there", "deploy", {}))
    it.main(order, it.RECOVER)
    assert done == []


def test_that_it_can_not_be_done_ends_the_unit_with_an_error(app, monkeypatch):
    os.unlink(_lease.alive_path(app.state_directory, "one"))
    monkeypatch.setattr(it._guardian, "stand_in", lambda *_any: False)
    with pytest.raises(JunoError, match="deploy again"):
        it.recover(app, {})
