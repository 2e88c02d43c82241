# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table."""

from django.db import models


class Note(models.Model):
    """A note."""

    text = models.CharField(max_length=100)
