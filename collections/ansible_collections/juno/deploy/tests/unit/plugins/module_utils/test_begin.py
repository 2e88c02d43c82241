# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the lease is held after the beginning; what is recovered and looked at is tested where it is done."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import (
    _app,
    _begin,
    _forkserver,
    _inspect,
    _inspect_git,
    _journal,
    _lease,
    _package,
    _release,
    _undo,
)
from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, JunoError

BASE_URL = "http://127.0.0.1:8001"
NO_METER = _begin.Meter(0, (), [], "", {})
NO_HELPER = _begin.Helper("", {}, {})
WISH = _inspect_git.Wish("origin", "main", 60, False, False, "rolling")


def no_checkout(argv, **_more):
    """Answer as git does where nothing is."""
    return CommandResult(argv, 128, "", "")


@pytest.fixture
def app(tmp_path, monkeypatch):
    # Nothing is laid into the system of the machine that runs the tests.
    monkeypatch.setattr(_begin._boot, "arm", lambda *_any: "no")
    return _app.App("/root/x", "junojobs", "web", (), (), "", str(tmp_path), lease="one")


def begin(app, purpose="deploy", *, lease="one", dry=False, helper=NO_HELPER):
    holder = _lease.claim(lease, "rohit@laptop", purpose, {})
    return _begin.begin(no_checkout, app, WISH, holder, NO_METER, release=0, dry=dry, helper=helper)


def found(deploy, containers):
    return {
        "plan": {
            "deploy": deploy,
            "strategy": "rolling",
            **{"build": True, "collect": False, "translate": False, "frontend": False},
        },
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
    monkeypatch.setattr(_undo, "recover", lambda _run, _app, _seconds: recovered)
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

    def start(package, _app, _lease, _caches, build):
        if build:
            orders.append((package, build))
        return {"socket": package, "python": "python"}

    monkeypatch.setattr(_undo, "recover", lambda _run, _app, _seconds: {})
    monkeypatch.setattr(_begin._meterflow, "start", lambda _directory, order: orders.append(order["base_url"]))
    look(monkeypatch, deploy, *containers)
    begin(app)
    assert orders == [BASE_URL] * begun


def test_the_dead_holder_is_told(app, monkeypatch):
    monkeypatch.setattr(_undo, "recover", lambda _run, _app, _seconds: {})
    look(monkeypatch, True)
    begin(app, "restart", lease="zero")
    os.unlink(_lease.alive_path(app.state_directory, "zero"))
    assert begin(app, "restart")["taken_over_from"]["id"] == "zero"


@pytest.mark.parametrize("error", [JunoError("no"), KeyError("bug"), KeyboardInterrupt()])
def test_after_an_error_it_is_given_back(app, monkeypatch, error):
    def fail(_run, _app, _seconds):
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


BUILD = {"check_command": ("python", "manage.py", "check"), "build_timeout_seconds": 9, "check_timeout_seconds": 9}


@pytest.fixture
def asked(monkeypatch):
    """Let a fork server be there, and note what it is asked to build."""
    orders = []

    def start(package, _app, _lease, _caches, build):
        if build:
            orders.append((package, build))
        return {"socket": package, "python": "python"}

    monkeypatch.setattr(_package, "keep", lambda _source, _root, digest: f"/kept/{digest}" if digest else "")
    monkeypatch.setattr(_forkserver, "start", start)
    return orders


def test_a_deploys_build_begins_at_once(app, monkeypatch, asked):
    look(monkeypatch, True)
    result = begin(app, helper=_begin.Helper("abc", {}, BUILD))
    assert result["forkserver"] == {"socket": "/kept/abc", "python": "python", "boot": "no", "why": ""}
    assert asked == [
        ("/kept/abc", dataclasses.asdict(_release.BuildOrder("8f5d0b1c", build=True, collect=False, **BUILD)))
    ]


@pytest.mark.parametrize(
    ("purpose", "deploy", "package", "build"),
    [
        pytest.param("deploy", False, "abc", BUILD, id="nothing to do"),
        pytest.param("deploy", True, "", BUILD, id="no fork server"),
        pytest.param("deploy", True, "abc", {}, id="a hook comes first"),
        pytest.param("rollback", True, "abc", BUILD, id="nothing to build"),
        pytest.param("restart", True, "abc", BUILD, id="nothing to build in a restart"),
    ],
)
def test_else_no_build_begins(app, monkeypatch, asked, purpose, deploy, package, build):
    look(monkeypatch, deploy)
    begin(app, purpose, helper=_begin.Helper(package, {}, build))
    assert asked == []


def test_somebody_is_there_while_what_a_dead_run_left_is_undone(app, monkeypatch):
    did = []
    monkeypatch.setattr(_package, "keep", lambda *_any: "/kept/abc")
    monkeypatch.setattr(_forkserver, "start", lambda *_any: did.append("start") or {"socket": "s", "python": "p"})
    monkeypatch.setattr(_undo, "recover", lambda *_any: did.append("recover") or {})
    look(monkeypatch, True)
    _begin.open_entry(app, _lease.claim("dead", "she@there", "deploy", {}), "8f5d0b1c", "rolling")
    result = begin(app, helper=_begin.Helper("abc", {}, BUILD))
    assert did == ["start", "recover"]
    assert result["forkserver"] == {"socket": "s", "python": "p", "boot": "no", "why": ""}


def test_a_disk_that_refuses_the_package_is_told_and_no_error(app, monkeypatch, asked):
    def refuse(*_any):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_package, "keep", refuse)
    look(monkeypatch, True)
    result = begin(app, helper=_begin.Helper("abc", {}, BUILD))
    assert result["forkserver"]["why"] == "the package can't be kept (No space left on device)"
