# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's settings for a test that makes storages of its own."""

from __future__ import annotations

import contextlib
import importlib
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def defaults(**more: t.Any) -> Iterator[None]:
    """Return Django its defaults, and take them back for what others test."""
    settings = importlib.import_module("django.conf").settings
    before = dict(settings.__dict__)
    settings.__dict__["_wrapped"] = importlib.import_module("django.utils.functional").empty
    settings.configure(**more)
    yield
    settings.__dict__.clear()
    settings.__dict__.update(before)
