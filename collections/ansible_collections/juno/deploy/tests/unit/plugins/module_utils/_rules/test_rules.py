# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is: tables of paths."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules as rules_rules

PLAIN = rules_rules.Rules()
LAYOUT = rules_rules.Layout(apps=("jobs", "docs", "apps/tests"), templates=("web/pages",), static=("web/public",))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("templates/home.html", "template"),
        ("jobs/templates/jobs/a b\n.html", "template"),
        ("jobs/jinja2/x.txt", "template"),
        ("templates/README.md", "template"),
        ("templates/tests/x.html", "template"),
        ("templates/compose.html", "template"),
        ("templates/emails/requirements.txt", "image"),
        ("jobs/views.py", "code"),
        ("manage.py", "code"),
        ("jobs/management/commands/clear.py", "code"),
        ("jobs/migrations/0003_more.py", "migration"),
        ("jobs/tests/test_views.py", "test"),
        ("tests.py", "test"),
        ("conftest.py", "test"),
        ("static/css/site.css", "static file"),
        ("jobs/static/jobs/ümläut.svg", "static file"),
        ("static/src/input.scss", "front-end source"),
        ("theme/static_src/src/styles.css", "front-end source"),
        ("tailwind.config.js", "front-end source"),
        ("package-lock.json", "image"),
        ("Dockerfile", "image"),
        ("docker/Dockerfile.prod", "image"),
        ("docker-compose.yml", "image"),
        ("requirements-dev.txt", "image"),
        ("app/requirements/base.in", "image"),
        ("pyproject.toml", "image"),
        (".env", "image"),
        (".env.example", "documentation"),
        ("locale/de/LC_MESSAGES/django.po", "translation"),
        ("locale/de/LC_MESSAGES/django.mo", "compiled translation"),
        ("media/photo.jpg", "content"),
        ("db.sqlite3", "content"),
        ("README.md", "documentation"),
        ("docs/requirements.md", "documentation"),
        ("jobs/README.md", "documentation"),
        ("LICENSE", "documentation"),
        (".github/workflows/ci.yml", "development"),
        (".gitignore", "development"),
        (".gitmodules", "unknown"),
        # A text that may be shown, data that may be read, a script that may be run.
        ("content/posts/hello.md", "unknown"),
        ("data/cities.json", "unknown"),
        ("robots.txt", "unknown"),
        ("bin/run.sh", "unknown"),
        ("docker-entrypoint.sh", "image"),
        ("Makefile", "unknown"),
    ],
)
def test_what_a_file_is(path, kind):
    assert PLAIN.verdict(path).kind == kind


def test_a_file_that_nobody_knows_gets_every_step_of_a_full_deploy():
    assert PLAIN.verdict("data/cities.json").steps == ("build", "collect", "migrate", "workers", "invalidate")


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
    own = rules_rules.read_own(
        [{"files": "*.md", "steps": ["workers", "invalidate"]}, {"files": "data/**", "steps": []}]
    )
    rules = rules_rules.Rules(own)
    assert rules.verdict("README.md").steps == ("workers", "invalidate")
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
