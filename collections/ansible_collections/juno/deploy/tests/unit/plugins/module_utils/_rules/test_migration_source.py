# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operations of a migration lose data, read from its text."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._git.diff import Change
from ansible_collections.juno.deploy.plugins.module_utils._rules import migration_source

HEAD = "from django.db import migrations\nclass Migration(migrations.Migration):\n    operations = ["


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ('migrations.RemoveField("job", "salary")', ["RemoveField jobs.job.salary"]),
        ('RemoveField(model_name="job", name="salary")', ["RemoveField jobs.job.salary"]),
        ("migrations.DeleteModel(name='Job')", ["DeleteModel jobs.Job"]),
        ("migrations.DeleteModel(NAME)", ["DeleteModel jobs.?"]),
        ('migrations.AddField("job", "a", models.TextField())', []),
        ('migrations.AlterField("job", "a", models.TextField())', []),
        ("migrations.RunPython(a, b)", ["RunPython whose reverse is of unknown meaning"]),
        ("migrations.RunPython(a, reverse_code=b)", ["RunPython whose reverse is of unknown meaning"]),
        ("migrations.RunPython(a, migrations.RunPython.noop)", []),
        ("migrations.RunPython(a)", []),
        ('migrations.RunSQL("a", "b")', ["RunSQL whose reverse is of unknown meaning"]),
        ('migrations.RunSQL("a", reverse_sql="")', []),
        ('migrations.RunSQL("a", None)', []),
        (
            'migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("job", "a")])',
            ["RemoveField jobs.job.a"],
        ),
        ('migrations.SeparateDatabaseAndState([], [migrations.RemoveField("job", "a")])', []),
        ("*more", []),
    ],
)
def test_lossy(operation, words):
    assert migration_source.lossy(HEAD + operation + "]\n", "jobs") == words


@pytest.mark.parametrize(
    "text", ["", "class Migration:", "x = 1", "class Other:\n    operations = [DeleteModel('a')]\n"]
)
def test_what_is_no_migration_says_nothing(text):
    assert migration_source.lossy(text, "jobs") == []


def test_new_migrations_of_a_commit_are_read_from_git():
    asked = []

    def run(argv, **_more):
        asked.append(argv[-1])
        return CommandResult(argv, 0, HEAD + "DeleteModel('Job')]", "")

    modes = ("000000", "100644")
    changes = [
        Change("src/jobs/migrations/0004_gone.py", "A", modes),
        Change("src/jobs/migrations/0003_old.py", "D", modes),
        Change("src/jobs/models.py", "M", modes),
    ]
    assert migration_source.notices(run, "/a", "c" * 40, changes) == [
        "jobs.0004_gone loses data when it is taken back, so it is not reversed by itself: DeleteModel jobs.Job"
    ]
    assert asked == [f"{'c' * 40}:src/jobs/migrations/0004_gone.py"]
    assert migration_source.notices(run, "/a", "c" * 40, None) == []
