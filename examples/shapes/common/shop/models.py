# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site keeps."""

from django.db import models


class Order(models.Model):
    """What somebody has ordered."""

    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        """Return what it is."""
        return self.name
