# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that write down when they began and ended."""

from __future__ import annotations

import time

from celery import shared_task
from demo.celery import log


@shared_task
def tick() -> None:
    """Have nothing to do."""


@shared_task
def take(name: str, seconds: float) -> None:
    """Take a while."""
    log("begin", name)
    time.sleep(seconds)
    log("end", name)
