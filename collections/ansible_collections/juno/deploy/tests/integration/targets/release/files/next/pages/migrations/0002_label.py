# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A further table, which can go again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make it."""

    dependencies = (("pages", "0001_initial"),)
    operations = (migrations.CreateModel("Label", [("id", models.BigAutoField(primary_key=True))]),)
