# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release begins with, in which order; what is recovered and looked at is tested where it is done."""

from __future__ import annotations

import functools
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect, inspect_git, inspect_offline
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover
from ansible_collections.juno.deploy.plugins.module_utils._release import begin as release_begin
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Schema
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._release import begin_done

BASE_URL = "http://127.0.0.1:8001"
PACKAGE = "/var/lib/juno/.package/abc"


def no_checkout(argv, **_more):
    """Answer as git does where nothing is."""
    return CommandResult(argv, 128, "", "")


@pytest.fixture
def app(tmp_path):
    return app_app.App("/root/x", "jobs", "web", (), (), "", str(tmp_path))


@pytest.fixture
def did(monkeypatch):
    """Let nothing be done; note what would be, in its order."""
    notes = begin_done.noted(monkeypatch, "systemd does not start this host")
    monkeypatch.setattr(release_begin.AvailabilityProbe, "notice", lambda *_any: [])
    return notes


def names(did):
    return [one[0] for one in did]


def begin(app, purpose="deploy", **more):
    spec = specs.release(purpose=purpose, **more)
    return release_begin.begin(no_checkout, app, spec, lock.Holder("one", purpose, "rohit@laptop"), PACKAGE)


@pytest.mark.parametrize("dry", [True, False])
def test_a_wrong_address_ends_it_before_anything_is_done(app, did, monkeypatch, dry):
    def refuse(_run, _app, spec, seen):
        assert (spec["base_url"], seen["plan"]["deploy"]) == ("http://127.0.0.1:9", True)
        raise JunoError("Nobody listens")

    monkeypatch.setattr(release_begin.front_door, "require", refuse)
    look(monkeypatch, True, ("web", "running"))
    given = {"base_url": "http://127.0.0.1:9"}
    work = functools.partial(release_begin.look_only, no_checkout, app, specs.release(**given))
    with pytest.raises(JunoError, match="Nobody listens"):
        (work if dry else functools.partial(begin, app, **given))()
    assert not {"prepare", "start", "arm"} & set(names(did))
    assert journal.read(app.journal) == []


def found(deploy, containers, strategy="rolling", **more):
    return {
        "plan": {
            "deploy": deploy,
            "strategy": strategy,
            **{"build": True, "collect": False, "translate": False, "frontend": False},
        },
        "git": {"target_commit": "8f5d0b1c"},
        "compose": {"base_url": BASE_URL, "front_urls": [], "front_host": ""},
        "containers": [{"service": service, "state": state} for service, state in containers],
        **more,
    }


def look(monkeypatch, deploy, *containers, **more):
    asked = []
    monkeypatch.setattr(
        inspect, "inspect", lambda _run, _app, request: asked.append(request) or found(deploy, containers, **more)
    )
    monkeypatch.setattr(
        inspect_offline,
        "look",
        lambda _run, _app, request, release: asked.append((request, release)) or found(deploy, containers, **more),
    )
    return asked


@pytest.mark.parametrize(
    ("purpose", "deploy", "recovered"),
    [
        ("deploy", True, {}),
        ("deploy", False, {}),
        # What an interrupted deploy had left is in order again, though there is nothing to do.
        ("deploy", False, {"number": 7}),
        ("restart", True, {}),
        ("rollback", True, {"number": 7}),
    ],
)
def test_an_entry_is_opened_where_there_is_something_to_do(app, did, monkeypatch, purpose, deploy, recovered):
    monkeypatch.setattr(recover, "recover", lambda *_any: recovered)
    look(monkeypatch, deploy, workers={"queue": "declared"})
    result = begin(app, purpose)
    assert (result["begun"], result["recovered"], result["changed"]) == (deploy, recovered, bool(recovered))
    begun = [(one.purpose, one.who, one.commit, one.strategy, one.workers) for one in journal.read(app.journal)]
    assert begun == ([(purpose, "rohit@laptop", "8f5d0b1c", "rolling", {"queue": "declared"})] if deploy else [])
    assert [(one.outcome, one.step) for one in journal.read(app.journal)] == [("started", "begin")] * deploy


def test_each_is_begun_in_its_order(app, did, monkeypatch):
    """What an interrupted deploy left is in order before anybody looks, and a reboot is foreseen before an entry."""
    monkeypatch.setattr(release_begin, "open_entry", lambda *_any: did.append(("open_entry",)))
    look(monkeypatch, True, ("web", "running"))
    result = begin(app, boot_timeout_seconds=7, caches={"method": "memcached"})
    assert " ".join(names(did)) == "remember settle recover prepare arm remember open_entry start"
    caches = specs.release(caches={"method": "memcached"})["caches"]
    assert did[2] == ("recover", no_checkout, app, caches, 7)
    assert did[4][2]["caches"] == caches
    assert (did[4][3], result["boot"]) == (PACKAGE, "systemd does not start this host")


def test_what_a_reboot_would_run_is_of_this_version_before_it_recovers(app, did, monkeypatch):
    """What an earlier version left interrupted is written in the form of this one from then on."""
    os.makedirs(app.state_directory)
    open(release_begin.boot.spec_path(app.state_directory), "w").close()
    look(monkeypatch, False)
    begin(app)
    assert names(did)[:4] == ["remember", "settle", "arm", "recover"]
    assert did[2][3] == PACKAGE


@pytest.mark.parametrize(("recovered", "used"), [({}, True), ({"number": 7}, False)])
def test_what_was_asked_ahead_counts_unless_something_was_recovered(app, did, monkeypatch, recovered, used):
    def ahead(argv, **_more):
        return no_checkout(argv)

    ran = []
    monkeypatch.setattr(recover, "recover", lambda *_any: recovered)
    monkeypatch.setattr(inspect, "inspect", lambda run, _app, _request: ran.append(run) or found(False, []))
    holder = lock.Holder("one", "deploy", "rohit@laptop")
    release_begin.begin(no_checkout, app, specs.release(purpose="deploy"), holder, PACKAGE, ahead)
    assert ran == [ahead if used else no_checkout]


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
def test_visitors_are_counted_where_somebody_serves_them(app, did, monkeypatch, deploy, containers, begun):
    look(monkeypatch, deploy, *containers)
    begin(app, probe_rate=5, headers={"Host": "example.org", "X-Port": 80})
    started = [one[2] for one in did if one[0] == "start"]
    assert [(one["base_url"], one["rate_per_second"]) for one in started] == [(BASE_URL, 5)] * begun
    for one in started:
        assert one["headers"] == {"Host": "example.org", "X-Port": "80"}
        # It ends with the process that has begun the step, not with the step.
        assert processes.Process(*one["deployer"]) == processes.identify(os.getppid())


@pytest.mark.parametrize(
    ("paths", "pages", "asked"),
    [
        (["/a/"], [{"path": "/"}], [{"path": "/a/"}]),
        ([], [{"path": "/", "excludes": ["Error"]}], [{"path": "/", "excludes": ["Error"]}]),
        ([], [], []),
    ],
)
def test_what_the_prober_asks_for(app, did, monkeypatch, paths, pages, asked):
    look(monkeypatch, True, ("web", "running"))
    begin(app, probe_paths=paths, pages=pages)
    assert did[-1][2]["pages"] == asked


def test_while_the_maintenance_page_is_shown_nobody_is_counted(app, did, monkeypatch):
    monkeypatch.setattr(release_begin.maintenance, "is_on", lambda _directory: True)
    look(monkeypatch, True, ("web", "running"))
    begin(app)
    assert "start" not in names(did)


def test_caches_that_could_not_be_cleared_stop_it(app, did, monkeypatch):
    monkeypatch.setattr(recover, "recover", lambda *_any: {"number": 7, "not_cleared": "memcached refuses."})
    look(monkeypatch, True)
    with pytest.raises(JunoError, match=r"caches may hold pages of a release that was undone.* memcached refuses"):
        begin(app)
    assert names(did) == ["remember", "settle"]
    assert journal.read(app.journal) == []


@pytest.mark.parametrize("error", [JunoError("no"), KeyError("bug"), KeyboardInterrupt()])
def test_an_error_leaves_no_entry(app, did, monkeypatch, error):
    def fail(*_any):
        raise error

    monkeypatch.setattr(inspect, "inspect", fail)
    with pytest.raises(type(error)):
        begin(app)
    assert journal.read(app.journal) == []
    assert "arm" not in names(did)


@pytest.mark.parametrize("deploy", [True, False])
def test_a_look_recovers_nothing_and_writes_nothing(app, did, monkeypatch, deploy):
    look(monkeypatch, deploy, ("web", "running"))
    result = release_begin.look_only(no_checkout, app, specs.release())
    assert (result["changed"], result["begun"], result["recovered"]) == (deploy, False, {})
    assert names(did) == ["prepare"] * deploy
    assert not os.path.exists(app.state_directory)


@pytest.mark.parametrize(
    ("purpose", "release", "back"), [("deploy", 3, None), ("rollback", 3, 3), ("rollback", 0, 0), ("restart", 3, -1)]
)
def test_only_a_deploy_fetches(app, monkeypatch, purpose, release, back):
    asked = look(monkeypatch, True)
    login = {"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}
    more = {"branch": "live", "update_services": ["db"], "registry_logins": [login]}
    spec = specs.release(purpose=purpose, release=release, **more)
    request = inspect_git.request_of(spec)
    assert (request.branch, request.update_services, request.logged_in) == ("live", ("db",), ("ghcr.io",))
    release_begin.look(no_checkout, app, spec)
    assert asked == [request if back is None else (request, back)]


def test_secrets_of_the_configuration_go_no_further(app, did, monkeypatch):
    look(monkeypatch, True, configuration={"services": {"web": {"environment": {"SECRET_KEY": "x"}}}})
    assert "configuration" not in begin(app)
    assert "configuration" not in release_begin.look_only(no_checkout, app, specs.release())


def test_what_is_no_network_is_refused_before_anything_is_opened(app, did, monkeypatch):
    look(monkeypatch, True)
    with pytest.raises(BadInputError):
        begin(app, proxy={"trusted_proxies": ["nonsense"]})
    assert journal.read(app.journal) == []


@pytest.mark.parametrize(("purpose", "carried"), [("deploy", []), ("rollback", ["a.1"]), ("restart", ["a.1"])])
def test_what_is_no_deploy_carries_the_schema_on(app, did, monkeypatch, purpose, carried):
    done = journal.Entry(number=1, outcome="done", commit="c1", schema=Schema(["a.1"]))
    journal.write(app.journal, [done])
    look(monkeypatch, True)
    begin(app, purpose)
    assert journal.read(app.journal)[-1].schema.applied == carried


def test_files_that_were_sent_are_taken_over_before_anybody_looks(app, did, monkeypatch):
    monkeypatch.setattr(release_begin.sent_files, "take", lambda _run, _app, commit: did.append(("take", commit)))
    look(monkeypatch, False)
    begin(app, files="8f5d0b1c")
    assert " ".join(names(did)) == "remember settle recover take remember"
    assert did[3] == ("take", "8f5d0b1c")
