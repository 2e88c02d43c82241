# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue, for the shapes that have workers."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop", broker=os.environ.get("CELERY_BROKER_URL", "redis://redis:6379/0"))
app.conf.beat_schedule = {"tidy": {"task": "shop.celery.tidy", "schedule": 2.0}}


@app.task
def tidy() -> None:
    """Do what is to be done again and again."""
