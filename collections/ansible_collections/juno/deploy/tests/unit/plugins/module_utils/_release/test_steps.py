# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step is told: by the release's options, by what was found before it, and by its module."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._database import backup as database_backup
from ansible_collections.juno.deploy.plugins.module_utils._database import migrations
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic
from ansible_collections.juno.deploy.plugins.module_utils._recovery import record, undo
from ansible_collections.juno.deploy.plugins.module_utils._release import begin, report_text, steps
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_order
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

BEGUN = {
    "begun": True,
    "git": {"target_commit": "c2"},
    "plan": {
        "deploy": True,
        "strategy": "rolling",
        "build": True,
        "collect": True,
        "translate": False,
        "frontend": False,
        "invalidate": "all",
    },
    "serving": {"commit": "c1"},
    "images": {"web": "jobs-web:juno-c1"},
    "serving_images": {"web": "jobs-web:juno-c3"},
    "reverse_to": {"jobs": "0001_a"},
    "cache_version": {"value": 7, "variable": "CACHE_VERSION", "others": [], "why": ""},
}
BUILT = {
    "images": {"web": "jobs-web:juno-c2"},
    "build_seconds": 2.5,
    "static": {"replaced_names": ["a.css"]},
    "migrations": {"databases": [{"alias": "default"}]},
}
NOT_COVERED = {"covered": False, "alias": []}
SWITCHED = {
    "base_url": "http://127.0.0.1:8001",
    "outage_seconds": 1.5,
    "began": 100.0,
    "cleared_at": 0.0,
    "answered_before": None,
    "caches": NOT_COVERED,
}
VERIFIED = {"began": 110.0, "html_max_age_found": None}


def release(tmp_path, results=(), **more):
    """Return a release after some steps; of the plan, only the rest is replaced."""
    plan = more.pop("plan", {})
    spec = specs.release(state_root=str(tmp_path), **more)
    given = {"begin": {**BEGUN, "plan": {**BEGUN["plan"], **plan}}, **dict(results)}
    holder = lock.Holder("one", spec["purpose"], "rohit@laptop")
    return steps.Release(app_app.from_params(spec), spec, holder, "/kept/abc", results=given)


def do(step, at, **args):
    return steps.STEPS[step](at, args)


@pytest.fixture
def asked(monkeypatch):
    """Let a function note what it is asked, instead of doing it."""
    notes = []

    def instead(module, name, answer=None):
        def note(*args, **more):
            notes.append((*args, more) if more else args)
            return dict(answer or {})

        monkeypatch.setattr(module, name, note)
        return notes

    return instead


def task_names():
    """Return the names of all tasks of the role."""
    folder = pathlib.Path(steps.__file__).parents[3] / "roles/django_app/tasks"
    lines = [line.strip() for path in folder.rglob("*.yml") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line.removeprefix("- name:").strip().strip('"') for line in lines if line.startswith("- name:")]


def test_every_step_but_the_way_back_has_the_name_that_a_failed_task_has_in_the_role():
    assert set(steps.TASKS) == set(steps.STEPS) - {"undo", "tidy"}
    assert set(steps.LAST) <= set(steps.STEPS)
    assert set(steps.TASKS.values()) - set(task_names()) == set()


def test_a_task_is_known_by_its_name_which_begins_with_its_phase():
    names = task_names()
    assert [name for name in names if names.count(name) > 1] == []
    assert [name for name in names if not re.match(r"[A-Z][a-z]+: [^A-Z]", name)] == []


@pytest.mark.parametrize(
    ("more", "built", "row"),
    [
        ({}, {}, ["build", "switch", "clear", "verify", "record"]),
        ({}, {"migrates": True}, ["build", "migrate", "switch", "clear", "verify", "record"]),
        ({"purpose": "rollback"}, {}, ["switch", "clear", "verify", "record"]),
        (
            {"purpose": "rollback", "reverse_migrations": True},
            {},
            ["switch", "reverse", "clear", "verify", "record"],
        ),
        ({"purpose": "restart"}, {}, ["switch", "verify", "record"]),
        ({"purpose": "restart", "recollect": True}, {}, ["build", "switch", "clear", "verify", "record"]),
    ],
)
def test_what_follows_what(tmp_path, more, built, row):
    at = release(tmp_path, {"build": built}, **more)
    found, name = [], "begin"
    while name := steps.following(at, name):
        found.append(name)
    assert found == row


def test_a_rollback_with_nothing_to_reverse(tmp_path):
    at = release(tmp_path, {"begin": {**BEGUN, "reverse_to": {}}}, purpose="rollback", reverse_migrations=True)
    assert steps.following(at, "switch") == "clear"


# What the deployer starts with


def handed_over(tmp_path):
    return {
        "spec": specs.release(state_root=str(tmp_path), service="site", worker_services=["queue"]),
        "holder": dataclasses.asdict(lock.Holder("one", "rollback", "rohit@laptop", pid=7, started="8")),
        "package": "/kept/abc",
        "controller_timeout_seconds": 45,
        "at_once": True,
        "taken_over": "she@there, at work since 10:00",
    }


def test_what_the_module_hands_over(tmp_path):
    found = steps.Release.from_input(handed_over(tmp_path), 5)
    assert (found.app.services, found.holder.process.pid) == (("site", "queue"), 7)
    assert (found.package, found.lock, found.at_once, found.began) == ("/kept/abc", 5, True, False)
    assert found.controller_timeout == 45.0
    assert found.taken_over == "she@there, at work since 10:00"


def entry(number, outcome="done", **figures):
    return journal.Entry(number=number, outcome=outcome, commit=f"c{number}", figures=figures)


@pytest.mark.parametrize(
    ("entries", "usual"),
    [
        pytest.param([], {}, id="no release"),
        pytest.param([entry(1, build_seconds=3)], {}, id="of an earlier version"),
        pytest.param([entry(1, steps={"build": 69.6, "switch": 4})], {"build": 69.6, "switch": 4.0}, id="the last one"),
        pytest.param(
            [entry(1, steps={"build": 1.0}), entry(2, steps={"build": 2.0})], {"build": 2.0}, id="the newest one"
        ),
        pytest.param([entry(1, steps={"build": 1.0}), entry(2)], {"build": 1.0}, id="the newest one that tells"),
        pytest.param(
            [entry(1, steps={"build": 1.0}), entry(2, "failed", steps={"build": 2.0})], {"build": 1.0}, id="a good one"
        ),
        pytest.param([entry(1, steps={"build": "long", "switch": 2})], {"switch": 2.0}, id="broken by hand"),
        pytest.param([entry(1, steps=["build"])], {}, id="another version's"),
    ],
)
def test_what_a_step_takes_usually(tmp_path, entries, usual):
    app = app_app.from_params(handed_over(tmp_path)["spec"])
    journal.write(app.journal, entries)
    assert steps.usual_seconds(app) == usual
    assert steps.Release.from_input(handed_over(tmp_path)).usual == usual


def test_a_journal_that_can_not_be_read_is_for_the_first_step_to_tell(tmp_path):
    app = app_app.from_params(handed_over(tmp_path)["spec"])
    pathlib.Path(app.state_directory).mkdir()
    pathlib.Path(app.journal).write_text("{")
    assert steps.usual_seconds(app) == {}


# Begin


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


@pytest.mark.parametrize(
    ("strategy", "frontend", "pages", "command"),
    [("rolling", True, (), ("make",)), ("reload", False, ({"path": "/a/"},), ())],
)
def test_what_is_built(tmp_path, asked, strategy, frontend, pages, command):
    notes = asked(build, "build", BUILT)
    at = release(
        tmp_path,
        plan={"strategy": strategy, "frontend": frontend},
        pages=[{"path": "/a/"}],
        headers={"Host": "example.org", "X-Port": 80},
        build={"frontend": ["make"], "check_timeout_seconds": 9},
        base_url="http://127.0.0.1:8001",
        update_services=["db"],
        boot_timeout_seconds=7,
    )
    assert do("build", at)["images"] == BUILT["images"]
    ((_run, app, spec),) = notes
    assert (app, spec.commit, spec.build, spec.collect, spec.translate) == (at.app, "c2", True, True, False)
    assert (spec.frontend, spec.pages, spec.probe_path) == (command, pages, "/a/")
    assert spec.headers == {"Host": "example.org", "X-Port": "80"}
    assert (spec.check_command, spec.check_timeout_seconds) == (("python", "manage.py", "check"), 9)
    assert (spec.base_url, spec.update_services, spec.boot_timeout_seconds) == (
        "http://127.0.0.1:8001",
        ("db",),
        7,
    )


@pytest.mark.parametrize(("shared_cache_version", "value"), [(None, 7), ({**BEGUN["cache_version"], "value": 9}, 9)])
def test_hosts_that_share_their_caches_share_the_cache_version(tmp_path, asked, shared_cache_version, value):
    notes = asked(build, "build", BUILT)
    do("build", release(tmp_path), cache_version=shared_cache_version)
    assert notes[0][2].cache_version == CacheVersion(value, "CACHE_VERSION")


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


@pytest.mark.parametrize("prune", [True, False])
def test_all_static_files_can_be_collected_from_scratch(tmp_path, asked, monkeypatch, prune):
    notes = asked(collectstatic, "collect", {"replaced_names": []})
    monkeypatch.setattr(collectstatic, "made_elsewhere", lambda _params: ["a"])
    monkeypatch.setattr(steps.runner, "places", lambda params: [f"in {params['project']} {params['service']}"])
    at = release(
        tmp_path,
        purpose="restart",
        recollect=True,
        switch={"prune_static": prune},
        record={"keep_releases": 2},
        verify={"html_max_age": 60},
        caches={"settings": "site.settings"},
        build={"build_timeout_seconds": 90},
    )
    assert do("build", at) == {"replaced_names": []}
    ((place, params, more),) = notes
    assert place == "in jobs web"
    assert more == {"dry_run": False, "with_diff": False, "started": ["a"] if prune else None}
    rules = {name: params[name] for name in ("prune", "keep_releases", "html_max_age", "force", "timeout_seconds")}
    assert rules == {
        "prune": prune,
        "keep_releases": 2,
        "html_max_age": 60,
        "force": True,
        "timeout_seconds": 90,
    }
    assert (params["settings"], params["manage_py"], params["docker_host"]) == ("site.settings", "manage.py", None)


# Migrate and reverse


def test_what_is_migrated(tmp_path, asked):
    notes = asked(migrations, "migrate")
    request = {"backup": "always", "backup_timeout_seconds": 3, "timeout_seconds": 4, "lock_timeout_seconds": 5}
    at = release(tmp_path, {"build": BUILT}, migrate=request)
    do("migrate", at)
    backup, databases = database_backup.BackupSpec("always", 3), BUILT["migrations"]["databases"]
    spec = migrations.MigrateSpec("c2", BUILT["images"], 4, databases, backup=backup, lock_timeout_seconds=5)
    assert notes == [(steps.run, at.app, spec)]
    at.results["build"] = {**BUILT, "migrations": None}
    do("migrate", at)
    assert notes[1][2].databases == []  # they are looked up


def test_what_is_reversed_has_the_code_that_served(tmp_path, asked):
    notes = asked(migrations, "reverse_later")
    do("reverse", release(tmp_path, purpose="rollback"))
    ((_run, _app, spec),) = notes
    assert (spec.commit, spec.images, spec.to) == ("c1", BEGUN["serving_images"], {"jobs": "0001_a"})


# Switch


@pytest.mark.parametrize(
    ("purpose", "built", "commit", "images", "collects", "updates", "clears"),
    [
        ("deploy", BUILT, "c2", BUILT["images"], False, ("db",), True),
        ("rollback", None, "c2", BEGUN["images"], True, (), True),
        ("restart", None, "", BEGUN["images"], False, (), False),
    ],
)
def test_what_is_switched_to(tmp_path, asked, purpose, built, commit, images, collects, updates, clears):
    notes = asked(switch, "switch", SWITCHED)
    at = release(
        tmp_path,
        {"build": built} if built else {},
        purpose=purpose,
        update_services=["db"],
        proxy={"image": "haproxy:3.1", "pull": True, "trusted_proxies": ["10.0.0.0/8"], "tcp_ports": [2222]},
        switch={"purge_bytecode": True, "grace_seconds": 9, "warm_rate": 3},
        pages=[{"path": "/a/"}, {"path": "/b/"}],
        verify={"html_max_age": 60},
    )
    do("switch", at)
    spec = notes[0][2]
    assert (spec.commit, spec.images, spec.strategy) == (commit, images, "rolling")
    assert (spec.collect, spec.update_services, spec.purge_bytecode) == (collects, updates, bool(commit))
    assert spec.caches == (at.spec["caches"] if clears else {})
    assert (spec.proxy_image, spec.proxy_pull, spec.tcp_ports) == ("haproxy:3.1", True, (2222,))
    assert [str(one) for one in spec.trusted_proxies] == ["10.0.0.0/8"]
    assert (spec.grace_seconds, spec.warm_rate, spec.warm_paths) == (9, 3, ("/a/", "/b/"))
    assert spec.static_rules == {"keep_releases": 5, "html_max_age": 60, "prune": True}
    assert spec.cache_version == CacheVersion(7, "CACHE_VERSION")


@pytest.mark.parametrize("invalidate", ["none", "naming"])
def test_caches_of_which_something_stays_are_not_cleared_in_the_switch(tmp_path, asked, invalidate):
    notes = asked(switch, "switch", SWITCHED)
    do("switch", release(tmp_path, {"build": BUILT}, plan={"invalidate": invalidate}))
    assert notes[0][2].caches == {}


def test_the_build_may_have_taken_the_cache_version_away(tmp_path, asked):
    notes = asked(switch, "switch", SWITCHED)
    lost = {"value": 0, "variable": "CACHE_VERSION", "others": ["disk"], "why": "its settings don't honour it"}
    do("switch", release(tmp_path, {"build": {**BUILT, "cache_version": lost}}, switch={"warm_paths": ["/c/"]}))
    assert notes[0][2].cache_version == CacheVersion(0, "CACHE_VERSION", ("disk",), "its settings don't honour it")
    assert notes[0][2].warm_paths == ("/c/",)


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
    notes = asked(cache_order, "clear", {"settings": {"changed": True}})
    results = {"build": BUILT, "switch": {**SWITCHED, "caches": cache_version}}
    at = release(tmp_path, results, plan={"invalidate": plan}, caches={"method": method})
    done = do("clear", at)
    assert notes == ([(at.app, at.spec["caches"], more)] if more else [])
    assert done == ({"changed": True, "settings": {"changed": True}} if more else {"changed": False})


@pytest.mark.parametrize(
    ("collected", "naming"),
    [({"replaced_names": ["a.css"]}, ["a.css"]), ({"replaced_names": []}, None), ({"replaced_names": None}, ())],
)
def test_what_is_cleared_after_all_was_collected_from_scratch(tmp_path, asked, collected, naming):
    notes = asked(cache_order, "clear")
    do("clear", release(tmp_path, {"build": collected, "switch": SWITCHED}, purpose="restart", recollect=True))
    assert [one[-1]["naming"] for one in notes] == ([] if naming is None else [naming])


# Verify


@pytest.mark.parametrize(
    ("purpose", "header", "mark"),
    [
        ("deploy", "X-Release", {"value": "c2", "header": "X-Release", "pattern": None}),
        ("rollback", "X-Release", {"value": "c2", "header": "X-Release", "pattern": None}),
        ("restart", "X-Release", None),
        ("deploy", "", None),
    ],
)
def test_what_is_verified(tmp_path, asked, purpose, header, mark):
    notes = asked(verify_site, "verify", VERIFIED)
    at = release(
        tmp_path,
        {"switch": {**SWITCHED, "answered_before": ["/old/"]}},
        purpose=purpose,
        pages=[{"path": "/a/", "status": 200, "contains": ["Edition 2"], "excludes": []}],
        headers={"Host": "example.org", "X-Forwarded-Proto": "https"},
        verify={"release_header": header, "compare": True, "sitemap_pages": 5},
        docker_host="unix:///run/other.sock",
    )
    assert do("verify", at) == VERIFIED
    ((params, _warn),) = notes
    assert set(params) == set(verify_site.ARGUMENT_SPEC)
    assert params["pages"] == [{"path": "/a/", "status": 200, "contains": ["Edition 2"], "excludes": []}]
    assert (params["base_url"], params["host"], params["forwarded_proto"]) == (
        "http://127.0.0.1:8001",
        "example.org",
        "https",
    )
    assert (params["project"], params["service"], params["docker_host"]) == ("jobs", "web", "unix:///run/other.sock")
    assert (params["release"], params["answered_before"]) == (mark, ["/old/"])
    assert (params["compare"], params["sitemap_pages"], params["timeout_seconds"]) == (True, 5, 10)


def test_what_the_verification_warns_of_goes_along(tmp_path, monkeypatch):
    monkeypatch.setattr(verify_site, "verify", lambda _params, warn: warn("It is slow.") or dict(VERIFIED))
    assert do("verify", release(tmp_path, {"switch": SWITCHED})) == {**VERIFIED, "warnings": ["It is slow."]}


# Settle and record


def test_it_settles(tmp_path, asked):
    notes = asked(record, "require_settled")
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
        record={"keep_releases": 2, "keep_backups": 4, "keep_cache_mb": 100},
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


# The way back


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
    notes = asked(undo, "tidy_up", {"number": 2})
    at = release(tmp_path)
    assert do("tidy", at) == {"number": 2}
    assert notes == [(steps.run, at.app, at.spec["caches"])]
