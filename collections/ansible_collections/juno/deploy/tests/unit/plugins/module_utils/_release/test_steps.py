# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step returns, and what it is told by its module."""

from __future__ import annotations

import os
import pathlib
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._record import record, settle
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover, undo
from ansible_collections.juno.deploy.plugins.module_utils._release import begin, report_text, steps
from ansible_collections.juno.deploy.plugins.module_utils._release.release import LAST, TASKS
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._release.releases import (
    BUILT,
    NOT_COVERED,
    SWITCHED,
    VERIFIED,
    do,
    release,
)


def task_names(role="django_app"):
    """Return the names of all tasks of a role."""
    folder = pathlib.Path(steps.__file__).parents[3] / f"roles/{role}/tasks"
    lines = [line.strip() for path in folder.rglob("*.yml") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line.removeprefix("- name:").strip().strip('"') for line in lines if line.startswith("- name:")]


def test_every_step_but_the_undo_has_the_name_that_a_failed_task_has_in_the_role():
    assert set(TASKS) == set(steps.STEPS) - {"undo", "recover"}
    assert set(LAST) <= set(steps.STEPS)
    assert set(TASKS.values()) - set(task_names()) == set()


@pytest.mark.parametrize("role", ["django_app", "droplet"])
def test_a_task_is_known_by_its_name_which_begins_with_its_phase(role):
    names = task_names(role)
    assert [name for name in names if names.count(name) > 1] == []
    assert [name for name in names if not re.match(r"[A-Z][a-z]+: [^A-Z]", name)] == []


# Begin


def test_logins_that_are_none_are_said_before_anything_is_done(tmp_path, asked):
    notes = [*asked(begin, "begin", {}), *asked(begin, "look_only", {})]
    at = release(tmp_path, registry_logins=[{"registry": "https://ghcr.io", "username": "ci", "password": "t0pS3cret"}])
    for work in (lambda: do("begin", at), lambda: steps.look_only(at, diff=False)):
        with pytest.raises(BadInputError, match=r"^'https://ghcr.io', registry 1 in 'registry_logins', is not"):
            work()
    assert notes == []
    assert not os.path.exists(at.app.state_directory)


def test_headers_that_are_none_are_said_before_anything_is_done(tmp_path, asked):
    notes = [*asked(begin, "begin", {}), *asked(begin, "look_only", {})]
    at = release(tmp_path, check_headers={"Authorization": "Basic abc\n"})
    for work in (lambda: do("begin", at), lambda: steps.look_only(at, diff=False)):
        with pytest.raises(BadInputError, match=r"^The value of Authorization in 'check_headers' has a line break"):
            work()
    assert notes == []


def test_the_begin_and_a_look_have_the_logins(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    at = release(tmp_path, registry_logins=[{"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}])
    seen = []

    def look(*_any):
        place = os.environ["DOCKER_CONFIG"]
        assert sorted(os.listdir(place)) == ["config.json"]
        seen.append(place)
        return {"plan": {}}

    monkeypatch.setattr(steps.plan_text, "lines", lambda *_any: [])
    monkeypatch.setattr(begin, "look_only", look)
    monkeypatch.setattr(begin, "begin", look)
    steps.look_only(at, diff=False)
    assert not os.path.exists(seen[0])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    do("begin", at)
    assert seen[1] == f"{at.app.state_directory}/docker"


def test_the_plan_has_its_words_and_its_difference_only_where_one_is_wanted(tmp_path, asked, monkeypatch):
    found = {"begun": True, "plan": {}, "diff": {"before": "a", "after": "b"}}
    notes = asked(begin, "begin", found)
    monkeypatch.setattr(steps.plan_text, "lines", lambda seen, about: [f"{seen['begun']} {about.purpose}"])
    at = release(tmp_path, purpose="rollback")
    at.taken_over = "she@there"
    done = do("begin", at)
    assert done == {"begun": True, "plan": {}, "taken_over": "she@there", "words": ["True rollback"]}
    assert do("begin", at, diff=True)["diff"] == found["diff"]
    assert notes[0] == (steps.run, at.app, at.spec, at.holder, "/kept/abc", at.ahead)
    asked(begin, "look_only", found)
    assert steps.look_only(at, diff=True)["diff"] == found["diff"]
    assert "diff" not in steps.look_only(at, diff=False)


# Build


PENDING = {"pending": [{"app": "jobs", "name": "0002_b"}], "database": {"where": "here"}}


@pytest.mark.parametrize(
    ("found", "backup", "migrates"),
    [
        (None, "auto", False),
        ({}, "auto", False),
        ({"pending": [], "database": {"where": "here"}}, "auto", False),
        (PENDING, "auto", True),
        (PENDING, "never", True),
        # The app's own command does it, as it starts.
        ({**PENDING, "database": {"where": "container"}}, "auto", False),
        ({**PENDING, "database": None}, "auto", True),
        ({"pending": [], "unanswered": True}, "auto", True),
        ({"pending": [], "unanswered": True, "database": {"where": "container"}}, "auto", False),
        # Before each deploy, whatever it brings.
        (None, "always", True),
        ({**PENDING, "database": {"where": "container"}}, "always", True),
    ],
)
def test_whether_the_database_is_migrated_before_the_switch(tmp_path, asked, found, backup, migrates):
    asked(build, "build", {**BUILT, "migrations": found})
    assert do("build", release(tmp_path, migrate={"backup": backup}))["migrates"] is migrates


# Clear


COVERED = {"covered": True, "alias": []}
ALL = {"alias": (), "naming": ()}


@pytest.mark.parametrize(
    ("plan", "cache_version", "method", "more"),
    [
        pytest.param("all", NOT_COVERED, "settings", ALL, id="all"),
        pytest.param("all", COVERED, "settings", None, id="the cache version makes them unreadable"),
        pytest.param(
            "all", {"covered": True, "alias": ["disk"]}, "settings", {**ALL, "alias": ["disk"]}, id="all but some"
        ),
        pytest.param("all", COVERED, "memcached", {**ALL, "alias": []}, id="no settings tell which keys carry it"),
        pytest.param("naming", NOT_COVERED, "settings", {**ALL, "naming": ["a.css"]}, id="pages with a replaced file"),
        pytest.param("none", NOT_COVERED, "settings", None, id="none"),
    ],
)
def test_what_is_cleared(tmp_path, asked, plan, cache_version, method, more):
    notes = asked(cache_clearing, "clear", {"settings": {"changed": True}})
    results = {"build": BUILT, "switch": {**SWITCHED, "caches": cache_version}}
    at = release(tmp_path, results, plan={"clear": plan}, caches={"method": method})
    done = do("clear", at)
    assert notes == ([(at.app, at.spec["caches"], more)] if more else [])
    assert done == ({"changed": True, "settings": {"changed": True}} if more else {"changed": False})


@pytest.mark.parametrize(
    ("collected", "naming"),
    [({"replaced_names": ["a.css"]}, ["a.css"]), ({"replaced_names": []}, None), ({"replaced_names": None}, ())],
)
def test_what_is_cleared_after_all_was_collected_from_scratch(tmp_path, asked, collected, naming):
    notes = asked(cache_clearing, "clear")
    do("clear", release(tmp_path, {"build": collected, "switch": SWITCHED}, purpose="restart", recollect=True))
    assert [one[-1]["naming"] for one in notes] == ([] if naming is None else [naming])


# Verify


def test_what_the_verification_warns_of_goes_along(tmp_path, monkeypatch):
    monkeypatch.setattr(verify_site, "verify", lambda _params, warn: warn("It is slow.") or dict(VERIFIED))
    assert do("verify", release(tmp_path, {"switch": SWITCHED})) == {**VERIFIED, "warnings": ["It is slow."]}


# Settle and record


def test_it_settles(tmp_path, asked):
    notes = asked(settle, "require_settled")
    at = release(tmp_path)
    assert do("settle", at) == {"changed": False}
    assert notes == [(at.app,)]


@pytest.mark.parametrize(
    ("purpose", "method", "cleared_at", "old_gone"),
    [
        ("deploy", "settings", 105.0, 105.0),
        ("deploy", "settings", 0.0, 110.0),
        ("rollback", "memcached", 0.0, 110.0),
        # Old pages are no fault where nobody clears them.
        ("deploy", "none", 105.0, None),
        ("restart", "settings", 105.0, None),
    ],
)
def test_what_is_recorded(tmp_path, asked, monkeypatch, purpose, method, cleared_at, old_gone):
    notes = asked(record, "record", {"changed": True, "release": {"number": 2}})
    seen = []
    monkeypatch.setattr(report_text, "lines", lambda results, site: seen.append((results, site)) or ["Done"])
    results = {"build": BUILT, "switch": {**SWITCHED, "cleared_at": cleared_at}, "verify": VERIFIED}
    results["clear"] = {"memcached": {"results": []}}
    at = release(
        tmp_path,
        results,
        purpose=purpose,
        caches={"method": method},
        record={"keep_releases": 2, "keep_backups": 4, "build_cache_keep_mb": 100},
        host_name="h1",
        headers={"Host": "example.org"},
    )
    at.seconds = {"begin": 0.5, "build": 2.6}
    assert do("record", at) == {"changed": True, "release": {"number": 2}, "report": ["Done"]}
    ((_run, app, figures, marks, more),) = notes
    assert (app, marks) == (at.app, {"switch_began": 100.0, "old_gone": old_gone})
    assert figures == {
        "build_seconds": 2.5,
        "outage_seconds": 1.5,
        "html_max_age_seconds": 0,
        "steps": {"begin": 0.5, "build": 2.6},
    }
    assert more == {"keep": record.Keep(2, 4, 100)}
    ((reported_results, site),) = seen
    assert (reported_results.built, reported_results.collected) == (BUILT, {})
    assert (reported_results.cleared, reported_results.flushed) == (None, {"results": []})
    assert reported_results.recorded["release"] == {"number": 2}
    assert (site.purpose, site.host_name, site.host_header, site.cache_method) == (purpose, "h1", "example.org", method)


def test_what_was_collected_from_scratch_is_no_build_in_the_report(tmp_path, asked, monkeypatch):
    asked(record, "record")
    seen = []
    monkeypatch.setattr(report_text, "lines", lambda results, _site: seen.append(results) or [])
    results = {"build": {"added": 3}, "switch": SWITCHED, "verify": VERIFIED, "reverse": {"reversed": []}}
    do("record", release(tmp_path, results, purpose="restart", recollect=True))
    assert (seen[0].built, seen[0].collected, seen[0].migrated) == ({}, {"added": 3}, {"reversed": []})


# The undo


@pytest.mark.parametrize(
    ("failures", "args", "cause"),
    [
        pytest.param(
            {}, {"task": "Verify", "reason": "on b, not here: No."}, ("Verify", "on b, not here: No."), id="told"
        ),
        pytest.param(
            {"build": {"msg": "old"}, "switch": {"msg": "It ended."}},
            {},
            ("Switch: move the traffic to the release", "It ended."),
            id="begun without being told: the step that failed last says why",
        ),
        pytest.param(
            {"switch": {"msg": "It ended."}},
            {"task": "Switch", "reason": "No."},
            ("Switch", "No."),
            id="told, and failed",
        ),
        pytest.param({}, {}, ("", ""), id="no cause"),
    ],
)
def test_why_it_goes_back(tmp_path, asked, failures, args, cause):
    notes = asked(undo, "undo", {"number": 2, "undone": True, "not_cleared": "memcached refuses."})
    at = release(tmp_path)
    at.failures = failures
    done = do("undo", at, **args)
    assert notes == [(steps.run, at.app, undo.Cause(*cause), at.spec["caches"])]
    assert done == {
        **undo.NOTHING,
        "changed": True,
        "number": 2,
        "undone": True,
        "not_cleared": "memcached refuses.",
    }


def test_where_there_is_no_release_at_work_nothing_goes_back(tmp_path, asked):
    asked(undo, "undo")
    assert do("undo", release(tmp_path)) == {**undo.NOTHING, "changed": False}


def test_without_its_controller_it_is_finished_or_undone_as_a_dead_run_is(tmp_path, asked):
    notes = asked(recover, "recover_unattended", {"number": 2})
    at = release(tmp_path)
    assert do("recover", at) == {"number": 2}
    assert notes == [(steps.run, at.app, at.spec["caches"])]
