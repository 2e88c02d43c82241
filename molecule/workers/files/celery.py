# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo site's queue."""

from __future__ import annotations

import os
import time

from celery import Celery
from celery.signals import before_task_publish

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
app = Celery("demo", broker="redis://redis:6379/0")
app.conf.broker_connection_retry_on_startup = True
app.conf.beat_schedule = {"tick": {"task": "jobs.tasks.tick", "schedule": 1.0}}
app.autodiscover_tasks(["jobs"])


def log(*words: object) -> None:
    """Add a line: when, on which container, what."""
    with open("/data/tasks.log", "a", encoding="utf-8") as file:
        file.write(" ".join(map(str, (f"{time.time():.2f}", os.uname().nodename, *words))) + "\n")


@before_task_publish.connect
def sent(sender: str, **_about: object) -> None:
    """Write down which scheduler sends a task, and when."""
    if sender.endswith(".tick"):
        log("sent")
