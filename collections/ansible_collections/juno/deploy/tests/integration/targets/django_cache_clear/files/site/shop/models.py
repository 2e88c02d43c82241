# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model, so that this module can only be imported once the apps are loaded."""

from django.db import models


class Page(models.Model):
    title = models.CharField(max_length=10)
