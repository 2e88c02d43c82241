# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""collectstatic's figures, and what counts as a change."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic
from ansible_collections.juno.deploy.plugins.module_utils._django.collectstatic import (
    Counts,
    build_arguments,
    collect,
    diff,
    is_changed,
    parse_counts,
)
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import InAppResult, Place

OPTIONS = {"clear": False, "link": False, "ignore": [], "settings": None}
FACTS = {
    "storage": "a.Storage",
    "static_root": "/static",
    "has_manifest": True,
    "manifest_hash_before": "aaa",
    "manifest_hash_after": "aaa",
    "added": 0,
    "removed": 0,
    "entries": [],
}


@pytest.mark.parametrize(
    ("printed", "counts"),
    [
        ("0 static files copied to '/r', 11 unmodified.", Counts(0, 11)),
        ("1 static file copied to '/r'.", Counts(1)),
        ("10 static files copied to '/r', 30 post-processed.", Counts(10, 0, 30)),
        ("100 static files copied to '/r', 10 unmodified, 330 post-processed.", Counts(100, 10, 330)),
        ("20 static files copied.", Counts(20)),
        ("3 static files symlinked to '/r', 1 unmodified.", Counts(3, 1)),
        ("0 static files copied to '/it's, 5 unmodified', 2 unmodified.", Counts(0, 2)),
        (
            "3 static files deleted, 1 static file copied to '/r', 1 post-processed, 1 skipped due to conflict.",
            Counts(1, 0, 1, 3, 1),
        ),
        ("1 static file deleted, 0 static files copied to '/r', 1 unmodified.", Counts(0, 1, 0, 1)),
        (
            "Deleting 'a.css'\nDeleting 'b.css'\n\n10 static files copied to '/r'.",
            Counts(10, deleted=2),
        ),
        (
            "Found another file with the destination path 'a.css'. It is ignored.\n1 static file copied to '/r'.",
            Counts(1, conflicts=1),
        ),
    ],
    ids=["0", "1", "10", "100", "remote", "link", "quote", "6.x", "6.x-one", "before-6-clear", "before-6-conflict"],
)
def test_counts(printed, counts):
    assert parse_counts(f"\n{printed}\n") == counts


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "no 10 static files copied.",
        "10 static files copied",
        "x10 static files copied to '/r'.",
        "an app says: 7 static files copied.",
        "\u0661\u0660 static files copied.",
    ],
)
def test_what_is_no_summary(printed):
    assert parse_counts(printed) is None


def test_the_last_summary_counts():
    assert parse_counts("7 static files copied.\n0 static files copied to '/r', 7 unmodified.") == Counts(0, 7)


@pytest.mark.parametrize("copied", [1, 10, 20, 100])
def test_copied_is_a_change_without_a_manifest(copied):
    assert is_changed(Counts(copied), {**FACTS, "has_manifest": False}, dry_run=False)


def test_nothing_copied_is_no_change_without_a_manifest():
    assert not is_changed(Counts(0, 10, 30), {**FACTS, "has_manifest": False}, dry_run=False)


@pytest.mark.parametrize(
    ("facts", "changed"),
    [
        ({}, False),
        ({"manifest_hash_after": "bbb"}, True),
        ({"manifest_hash_before": None}, True),
        ({"added": 1}, True),
        ({"removed": 1}, True),
    ],
)
def test_a_manifest_decides_whatever_was_copied(facts, changed):
    assert is_changed(Counts(copied=5, post_processed=30), {**FACTS, **facts}, dry_run=False) is changed


@pytest.mark.parametrize(
    ("counts", "facts", "changed"),
    [
        (Counts(0, 10), {}, False),
        (Counts(1), {}, True),
        (Counts(deleted=1), {}, True),
        (Counts(0, 10), {"manifest_hash_before": None, "manifest_hash_after": None}, True),
    ],
)
def test_a_dry_run_predicts(counts, facts, changed):
    assert is_changed(counts, {**FACTS, **facts}, dry_run=True) is changed


def test_arguments():
    assert build_arguments(OPTIONS, dry_run=False) == ["collectstatic", "--noinput", "--verbosity=1"]
    options = {"clear": True, "link": True, "ignore": ["*.scss", "-x"], "settings": "a.b"}
    assert build_arguments(options, dry_run=True)[3:] == [
        "--dry-run",
        "--clear",
        "--link",
        "--ignore=*.scss",
        "--ignore=-x",
        "--settings=a.b",
    ]


def test_diff_shows_the_manifest_entries_that_differ():
    entries = [["a.css", "a.1.css", "a.2.css"], ["b.css", None, "b.3.css"], ["c.css", "c.4.css", None]]
    shown = diff({**FACTS, "entries": entries}, "", dry_run=False)
    assert shown["before"] == "a.css -> a.1.css\nc.css -> c.4.css\n"
    assert shown["after"] == "a.css -> a.2.css\nb.css -> b.3.css\n"
    assert shown["after_header"] == "/static"


def test_diff_of_a_dry_run_shows_what_django_would_do():
    printed = "hello\nPretending to copy '/src/a b.css'\nPretending to delete 'c.css'\n1 static file copied."
    assert diff(FACTS, printed, dry_run=True)["after"] == "copy /src/a b.css\ndelete c.css\n"


STAGED = {
    **FACTS,
    "staged": True,
    "why": "",
    "fingerprint": "new",
    "staged_in": "/.static.juno-staging-1",
    "replaced": 0,
    "copied": 0,
    "unmodified": 10,
    "pruned": [],
    "pruned_count": 0,
    "pruned_bytes": 0,
    "unknown": 0,
    "prune_why": "",
    "memory_why": "",
}
PARAMS = {
    **OPTIONS,
    "staging": True,
    "force": False,
    "prune": False,
    "keep_releases": 5,
    "html_max_age": 3600,
    "timeout_seconds": 60,
}
PLACE = Place("the container web", ("python",), True, lambda _argv, _seconds: None)


@pytest.mark.parametrize(
    ("facts", "changed"),
    [
        ({}, False),
        ({"replaced": 1}, True),
        ({"added": 1}, True),
        ({"removed": 1}, True),
        ({"manifest_hash_after": "bbb"}, True),
        ({"pruned_count": 1}, True),
        ({"has_manifest": False}, False),
        ({"has_manifest": False, "replaced": 1}, True),
        ({"manifest_hash_before": None, "manifest_hash_after": None}, False),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_in_the_root_decides_when_staged(facts, changed, dry_run):
    assert is_changed(Counts(copied=10, post_processed=30), {**STAGED, **facts}, dry_run=dry_run) is changed


def test_diff_of_a_staged_run_names_files():
    facts = {
        **STAGED,
        "entries": [["a.css", "a.1.css", "a.2.css"]],
        "names": {"new": ["a.2.css"], "replaced": ["a.css"], "removed": ["b.css"]},
        "pruned": [{"path": "a.0.css", "bytes": 12}],
    }
    shown = diff(facts, "", dry_run=True)
    assert shown["before"] == "a.css -> a.1.css\nremoved b.css\npruned a.0.css (12 bytes)\n"
    assert shown["after"] == "a.css -> a.2.css\nnew a.2.css\nreplaced a.css\n"


@pytest.fixture
def ended(monkeypatch):
    """Let the app's Python end as a test says, and keep what it was asked."""
    asked = {}

    def end(stdout, results):
        def run_in_app_code(_place, modules, _params, **request):
            asked.update(request, modules=modules)
            return InAppResult(PLACE, ["python"], 0, stdout, "", results)

        monkeypatch.setattr(collectstatic, "run_in_app", run_in_app_code)
        return asked

    return end


def test_figures_of_a_staged_run_are_those_of_the_root(ended):
    printed = "10 static files copied to '/.static.juno-staging-1', 30 post-processed."
    asked = ended(printed, {"static": {**STAGED, "copied": 2, "unmodified": 8, "replaced": 3, "removed": 4}})
    result = collect(PLACE, {**PARAMS, "clear": True}, dry_run=False, with_diff=False, started=7)
    assert (result["copied"], result["unmodified"], result["post_processed"], result["deleted"]) == (2, 8, 30, 4)
    assert result["stdout"] == "10 static files copied to '/static', 30 post-processed."
    assert result["actions"] == [{"what": "collectstatic", "id": "/static", "status": "done"}]
    assert not {"staged_in", "names", "prune_why", "warnings", "diff"} & set(result)
    assert asked["static"]["in_container"]
    assert asked["static"]["clear"]
    assert asked["static"]["started"] == 7
    assert not asked["static"]["dry"]


@pytest.mark.parametrize(
    ("project", "created", "oldest"),
    [(None, [], None), ("shop", [5], None), ("shop", [1, 9, 7], 7)],
    ids=["host", "one", "three"],
)
def test_when_the_other_containers_were_made(monkeypatch, project, created, oldest):
    running = [types.SimpleNamespace(created=one) for one in created]
    monkeypatch.setattr(collectstatic.engine, "connect", lambda _host: None)
    monkeypatch.setattr(collectstatic.engine, "find_running", lambda *_which: running)
    params = {"project": project, "service": "web", "docker_host": None}
    assert collectstatic.made_elsewhere(params) == oldest


def test_where_nothing_ran_there_is_no_summary(ended):
    ended(
        "", {"static": {**STAGED, "fingerprint": "same", "staged_in": "", "pruned_count": 1, "memory_why": "why not"}}
    )
    result = collect(PLACE, PARAMS, dry_run=True, with_diff=True)
    assert result["actions"] == [{"what": "prune", "id": "/static", "status": "would_run"}]
    assert result["warnings"] == ["why not"]
    assert result["changed"]


@pytest.mark.parametrize("results", [{}, {"static": {**STAGED, "staged": False}}])
def test_no_summary_where_django_ran_in_place(ended, results):
    ended("hello", results)
    with pytest.raises(CommandError, match="printed no summary"):
        collect(PLACE, PARAMS, dry_run=False, with_diff=False)


def test_each_in_app_module_comes_before_those_that_import_it():
    known = set()
    for module in collectstatic.IN_APP_MODULES:
        imported = {value.__module__ for value in vars(module).values() if hasattr(value, "__module__")}
        assert {name for name in imported if "._in_app." in name} <= known | {module.__name__}
        known.add(module.__name__)
