# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make it."""

    operations = (
        migrations.CreateModel(
            "Note", [("id", models.BigAutoField(primary_key=True)), ("text", models.CharField(max_length=100))]
        ),
    )
