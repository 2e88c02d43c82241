# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""collectstatic's figures, and what counts as a change."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._staticfiles import (
    Counts,
    build_arguments,
    diff,
    is_changed,
    parse_counts,
)

OPTIONS = {"clear": False, "link": False, "ignore": [], "settings": None}
TOLD = {
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
    assert is_changed(Counts(copied), {**TOLD, "has_manifest": False}, dry_run=False)


def test_nothing_copied_is_no_change_without_a_manifest():
    assert not is_changed(Counts(0, 10, 30), {**TOLD, "has_manifest": False}, dry_run=False)


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        ({}, False),
        ({"manifest_hash_after": "bbb"}, True),
        ({"manifest_hash_before": None}, True),
        ({"added": 1}, True),
        ({"removed": 1}, True),
    ],
)
def test_a_manifest_decides_whatever_was_copied(told, changed):
    assert is_changed(Counts(copied=5, post_processed=30), {**TOLD, **told}, dry_run=False) is changed


@pytest.mark.parametrize(
    ("counts", "told", "changed"),
    [
        (Counts(0, 10), {}, False),
        (Counts(1), {}, True),
        (Counts(deleted=1), {}, True),
        (Counts(0, 10), {"manifest_hash_before": None, "manifest_hash_after": None}, True),
    ],
)
def test_a_dry_run_predicts(counts, told, changed):
    assert is_changed(counts, {**TOLD, **told}, dry_run=True) is changed


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
    shown = diff({**TOLD, "entries": entries}, "", dry_run=False)
    assert shown["before"] == "a.css -> a.1.css\nc.css -> c.4.css\n"
    assert shown["after"] == "a.css -> a.2.css\nb.css -> b.3.css\n"
    assert shown["after_header"] == "/static"


def test_diff_of_a_dry_run_shows_what_django_would_do():
    printed = "hello\nPretending to copy '/src/a b.css'\nPretending to delete 'c.css'\n1 static file copied."
    assert diff(TOLD, printed, dry_run=True)["after"] == "copy /src/a b.css\ndelete c.css\n"
