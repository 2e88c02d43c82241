# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns, what an app's settings tell, and the user's rules."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules as rules_rules

LAYOUT = rules_rules.Layout(apps=("jobs", "docs", "apps/tests"), templates=("web/pages",), static=("web/public",))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("web/pages/home.txt", "template"),
        ("web/public/x.bin", "static file"),
        ("web/public/x.scss", "front-end source"),
        # Apps that are called so.
        ("docs/views.py", "code"),
        ("docs/guide.md", "unknown"),
        ("apps/tests/views.py", "code"),
        ("jobs/tests/test_views.py", "test"),
    ],
)
def test_the_settings_tell_more(path, kind):
    assert rules_rules.Rules(layout=LAYOUT).verdict(path).kind == kind


@pytest.mark.parametrize(
    ("pattern", "fits", "not_these"),
    [
        ("*.json", ("a.json", "x/y/a.json"), ("a.json/b", "ajson")),
        ("data/*.json", ("data/a.json",), ("data/x/a.json", "more/data/a.json")),
        ("**/data/*", ("data/a", "x/y/data/a"), ("data/x/a",)),
        ("notes/**", ("notes/a", "notes/x/y"), ("notes", "my/notes/a")),
        ("/a.txt", ("a.txt",), ("x/a.txt",)),
        ("a?c", ("abc", "x/a.c"), ("ac", "a/c")),
        ("a+(b).txt", ("a+(b).txt",), ("aab.txt",)),
        ("[x].txt", ("[x].txt",), ("x.txt",)),
    ],
)
def test_patterns(pattern, fits, not_these):
    found = re.compile(rules_rules.translate(pattern) + r"\Z", re.DOTALL)
    assert [path for path in fits if not found.match(path)] == []
    assert [path for path in not_these if found.match(path)] == []


def test_the_users_rules_come_first():
    own = rules_rules.read_own([{"files": "*.md", "steps": ["workers", "clear"]}, {"files": "data/**", "steps": []}])
    rules = rules_rules.Rules(own)
    assert rules.verdict("README.md").steps == ("workers", "clear")
    assert rules.verdict("data/x.json").steps == ()
    assert rules.verdict("jobs/views.py").kind == "code"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"files": "x"}, "has 'files', a pattern, and 'steps'"),
        ({"files": "x", "steps": "workers"}, "has 'files', a pattern, and 'steps'"),
        ({"files": "x", "steps": [], "more": 1}, "has 'files', a pattern, and 'steps'"),
        ({"files": "x", "steps": ["restart"]}, "'restart' is no step of a deploy"),
        ({"files": "", "steps": []}, "'' is no pattern for files"),
        ({"files": "a\\b", "steps": []}, "is no pattern for files"),
    ],
)
def test_a_wrong_rule_is_told(rule, message):
    with pytest.raises(BadInputError, match=re.escape(message)):
        rules_rules.read_own([rule])


def test_a_journal_that_knows_more_is_read():
    assert rules_rules.read_layout({"apps": ["jobs"], "later": [1]}) == rules_rules.Layout(apps=("jobs",))
    assert rules_rules.read_layout(None) == rules_rules.Layout()
