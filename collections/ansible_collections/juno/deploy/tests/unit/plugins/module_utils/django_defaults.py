# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's settings for a test that makes storages of its own."""

from __future__ import annotations

import contextlib
import importlib
import typing as t

import pytest

if t.TYPE_CHECKING:
    import pathlib
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


@pytest.fixture(autouse=True)
def static_settings(tmp_path: pathlib.Path) -> Iterator[None]:
    """Give Django settings with a static root, for all tests of a module that has this among its names."""
    with defaults(STATIC_URL="/static/", STATIC_ROOT=str(tmp_path), STATICFILES_FINDERS=[]):
        yield


def of_the_app(base: type, **more: t.Any) -> t.Any:
    """Return a storage whose class is the app's own."""
    return type("Own", (base,), {"__module__": "shop", "__qualname__": "Own", **more})()
