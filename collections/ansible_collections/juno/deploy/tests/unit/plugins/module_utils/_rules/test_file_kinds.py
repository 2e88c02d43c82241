# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is, by the rules that come with the collection: a table of paths."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules

PLAIN = rules.Rules()


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
    assert PLAIN.verdict("data/cities.json").steps == ("build", "collect", "migrate", "workers", "clear")
