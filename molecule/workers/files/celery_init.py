# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo site, with its queue."""

from __future__ import annotations

from .celery import app as celery_app

__all__ = ["celery_app"]
