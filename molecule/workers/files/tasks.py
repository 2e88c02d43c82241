# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that write down when they began and ended."""

from __future__ import annotations

import os
import time

from celery import Task, shared_task


def log(*words: object) -> None:
    """Add a line: when, on which container, what."""
    with open("/data/tasks.log", "a", encoding="utf-8") as file:
        file.write(" ".join(map(str, (f"{time.time():.2f}", os.uname().nodename, *words))) + "\n")


@shared_task(bind=True)
def tick(self: Task) -> None:
    """Say which scheduler sent this."""
    log("tick", self.request.origin)


@shared_task
def take(name: str, seconds: float) -> None:
    """Take a while."""
    log("begin", name)
    time.sleep(seconds)
    log("end", name)
