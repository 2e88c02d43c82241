# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operations lose data when they are reversed, of migrations that Django itself reads."""

from __future__ import annotations

import pytest

pytest.importorskip("django")

from ansible_collections.juno.deploy.plugins.module_utils._in_app.lossy import demands, lossy
from django.db import migrations, models
from django.db.migrations.state import ModelState, ProjectState

FIELDS = {
    "id": models.BigAutoField(primary_key=True),
    "name": models.CharField(max_length=40),
    "note": models.TextField(null=True),
    "size": models.IntegerField(),
    "price": models.DecimalField(max_digits=8, decimal_places=2),
    "day": models.DateField(),
}


def state_of():
    state = ProjectState()
    tag = [("id", models.BigAutoField(primary_key=True))]
    state.add_model(ModelState("jobs", "Tag", tag))
    state.add_model(ModelState("jobs", "Proxy", [], options={"proxy": True}))
    state.add_model(ModelState("jobs", "Foreign", tag, options={"managed": False}))
    state.add_model(ModelState("jobs", "Job", [(name, field.clone()) for name, field in FIELDS.items()]))
    return state


def losses(*operations):
    made = type("Migration", (migrations.Migration,), {"operations": list(operations)})("0002_it", "jobs")
    return lossy(made, state_of())


def fine(_apps, _editor):
    """Do nothing."""


class Own(migrations.operations.base.Operation):
    """One that Django doesn't know."""

    def state_forwards(self, _app, _state):
        """Change nothing."""


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (migrations.RemoveField("job", "size"), ["RemoveField jobs.job.size"]),
        (migrations.DeleteModel("Job"), ["DeleteModel jobs.Job"]),
        (migrations.DeleteModel("Proxy"), []),
        (migrations.DeleteModel("Foreign"), []),
        (migrations.AddField("job", "level", models.IntegerField(null=True)), []),
        (migrations.RenameField("job", "size", "width"), []),
        (migrations.RunPython(fine, fine), ["RunPython whose reverse is of unknown meaning"]),
        (migrations.RunPython(fine, migrations.RunPython.noop), []),
        (migrations.RunPython(fine), []),
        (migrations.RunSQL("a", "b"), ["RunSQL whose reverse is of unknown meaning"]),
        (migrations.RunSQL("a", migrations.RunSQL.noop), []),
        (migrations.RunSQL("a", []), []),
        (migrations.RunSQL("a"), []),
        (Own(), ["Own, which is not Django's, and of unknown meaning"]),
        (
            migrations.SeparateDatabaseAndState([migrations.RemoveField("job", "size")], []),
            ["RemoveField jobs.job.size"],
        ),
        (migrations.SeparateDatabaseAndState([], [migrations.RemoveField("job", "size")]), []),
    ],
)
def test_operations(operation, words):
    assert losses(operation) == words


@pytest.mark.parametrize(
    ("name", "field", "why"),
    [
        ("name", models.CharField(max_length=20), "max_length 40 to 20"),
        ("name", models.CharField(max_length=60), ""),
        ("name", models.CharField(max_length=40, db_index=True), ""),
        ("name", models.TextField(), ""),
        ("note", models.CharField(max_length=200, null=True), "TextField to CharField"),
        ("note", models.TextField(), "null to not null"),
        ("size", models.BigIntegerField(), ""),
        ("size", models.IntegerField(null=True), ""),
        ("size", models.SmallIntegerField(), "IntegerField to SmallIntegerField"),
        ("size", models.PositiveIntegerField(), "IntegerField to PositiveIntegerField"),
        ("size", models.CharField(max_length=9), "IntegerField to CharField"),
        ("price", models.DecimalField(max_digits=9, decimal_places=2), ""),
        ("price", models.DecimalField(max_digits=8, decimal_places=3), "8 digits with 2 places to 8 with 3"),
        ("price", models.DecimalField(max_digits=8, decimal_places=1), "8 digits with 2 places to 8 with 1"),
        ("day", models.DateTimeField(), ""),
        ("id", models.AutoField(primary_key=True), "BigAutoField to AutoField"),
    ],
)
def test_an_altered_field(name, field, why):
    assert losses(migrations.AlterField("job", name, field)) == ([f"AlterField jobs.job.{name} ({why})"] if why else [])


def test_an_operation_sees_what_those_before_it_made():
    wide = migrations.AlterField("job", "name", models.CharField(max_length=90))
    narrow = migrations.AlterField("job", "name", models.CharField(max_length=60))
    assert losses(wide, narrow) == ["AlterField jobs.job.name (max_length 90 to 60)"]


@pytest.mark.parametrize(
    ("field", "demanded"),
    [
        (models.CharField(max_length=9, default="plain"), True),
        (models.CharField(max_length=9, null=True), False),
        (models.CharField(max_length=9, db_default="plain"), False),
        (models.ManyToManyField("jobs.Tag"), False),
        (models.ForeignKey("jobs.Tag", models.CASCADE, default=1), True),
    ],
)
def test_columns_that_older_code_can_not_fill(field, demanded):
    added = migrations.AddField("job", "kind", field)
    made = type("Migration", (migrations.Migration,), {"operations": [added]})("0002_it", "jobs")
    assert demands(made) == (["jobs.job.kind"] if demanded else [])
    inner = migrations.SeparateDatabaseAndState(database_operations=[added])
    made = type("Migration", (migrations.Migration,), {"operations": [inner]})("0002_it", "jobs")
    assert demands(made) == (["jobs.job.kind"] if demanded else [])
