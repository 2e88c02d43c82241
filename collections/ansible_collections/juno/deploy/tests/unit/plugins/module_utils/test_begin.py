# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the lease is held after the beginning; what is recovered and looked at is tested where it is done."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _app, _begin, _inspect, _journal, _lease, _undo
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, JunoError

BASE_URL = "http://127.0.0.1:8001"
NO_METER = _begin.Meter(0, (), [], "", {})
WISH = _inspect.Wish("origin", "main", 60, False, False, "rolling")


@pytest.fixture
def app(tmp_path):
    return _app.App("/root/x", "junojobs", "web", (), (), "", str(tmp_path), lease="one")


def begin(app, purpose="deploy", *, lease="one", dry=False):
    return _begin.begin(None, app, WISH, _lease.claim(lease, "rohit@laptop", purpose, {}), NO_METER, release=0, dry=dry)


def found(deploy, containers):
    return {
        "plan": {"deploy": deploy, "strategy": "rolling"},
        "git": {"target_commit": "8f5d0b1c"},
        "compose": {"base_url": BASE_URL},
        "containers": [{"service": service, "state": state} for service, state in containers],
    }


def look(monkeypatch, deploy, *containers):
    monkeypatch.setattr(_inspect, "inspect", lambda _run, _app, _wish: found(deploy, containers))
    monkeypatch.setattr(_inspect, "look_back", lambda _run, _app, _wish, _release: found(deploy, containers))


@pytest.mark.parametrize(
    ("purpose", "deploy", "recovered", "held"),
    [
        ("deploy", True, {}, True),
        ("deploy", False, {}, False),
        # What a dead run had left is in order again: nobody waits for this one.
        ("deploy", False, {"number": 7}, False),
        ("restart", True, {}, True),
        ("rollback", True, {"number": 7}, True),
    ],
)
def test_it_is_held_where_there_is_something_to_do(app, monkeypatch, purpose, deploy, recovered, held):
    monkeypatch.setattr(_undo, "recover", lambda _run, _app: recovered)
    look(monkeypatch, deploy)
    result = begin(app, purpose)
    assert result["lease"] == {"id": "one", "held": held}
    assert (result["recovered"], result["changed"]) == (recovered, bool(recovered))
    assert bool(_lease.standing(app.state_directory)) == held
    begun = [(entry["who"], entry["commit"], entry["outcome"]) for entry in _journal.read(app.journal)]
    assert begun == ([("rohit@laptop", "8f5d0b1c", "started")] if deploy else [])


@pytest.mark.parametrize(
    ("deploy", "containers", "begun"),
    [
        (True, [("web", "running")], True),
        (True, [("web", "exited"), ("web", "running")], True),
        # A first release, or a site that is down: a prober would count what is no fault of this run.
        (True, [], False),
        (True, [("web", "exited")], False),
        (True, [("memcached", "running")], False),
        (False, [("web", "running")], False),
    ],
)
def test_visitors_are_counted_where_somebody_serves_them(app, monkeypatch, deploy, containers, begun):
    orders = []
    monkeypatch.setattr(_undo, "recover", lambda _run, _app: {})
    monkeypatch.setattr(_begin._meterflow, "start", lambda _directory, order: orders.append(order["base_url"]))
    look(monkeypatch, deploy, *containers)
    begin(app)
    assert orders == [BASE_URL] * begun


def test_the_dead_holder_is_told(app, monkeypatch):
    monkeypatch.setattr(_undo, "recover", lambda _run, _app: {})
    look(monkeypatch, True)
    begin(app, "restart", lease="zero")
    os.unlink(_lease.alive_path(app.state_directory, "zero"))
    assert begin(app, "restart")["taken_over_from"]["id"] == "zero"


@pytest.mark.parametrize("error", [JunoError("no"), KeyError("bug"), KeyboardInterrupt()])
def test_after_an_error_it_is_given_back(app, monkeypatch, error):
    def fail(_run, _app):
        assert _lease.standing(app.state_directory)["id"] == "one"
        raise error

    monkeypatch.setattr(_undo, "recover", fail)
    with pytest.raises(type(error)):
        begin(app)
    assert _lease.standing(app.state_directory) == {}


def test_a_dry_run_takes_none_and_recovers_nothing(app, monkeypatch):
    monkeypatch.setattr(_undo, "recover", lambda _run, _app: pytest.fail("it recovered"))
    look(monkeypatch, True)
    assert begin(app, lease="", dry=True)["lease"] == {"id": "", "held": False}
    assert not os.path.exists(app.state_directory)


def test_without_the_action_plugin_it_refuses(app):
    with pytest.raises(BadInputError, match="action plugin"):
        begin(app, lease="")
