# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container has written outside of its volumes, from what the Engine lists."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._switch import writable_layer as it


def changes(*paths, kind=1):
    return [{"Path": path, "Kind": kind} for path in paths]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (None, []),
        ([*changes("/code", "/code/media", kind=0), *changes("/code/media/a.png")], ["/code/media/a.png"]),
        (changes("/tmp", "/tmp/x", "/run/gunicorn.pid", "/code/a/__pycache__/b.cpython-313.pyc", "/code/b.pyc"), []),
        (changes("/code/static/a.css", "/code/static-more/b.css"), ["/code/static-more/b.css"]),
        (changes("/root/.gunicorn", "/root/.gunicorn/gunicorn.ctl"), []),
        (changes("/code/old.txt", kind=2), []),
        ([*changes("/code", kind=0), *changes("/code/old.txt", kind=2)], []),
        # No file of the folder whose name only begins the same.
        ([*changes("/data", kind=0), *changes("/data-2/x")], ["/data", "/data-2/x"]),
    ],
)
def test_what_was_written(listed, found):
    assert it.files(listed, ["/code/static"]) == found


def test_what_is_mounted_is_not_lost():
    """The Engine lists the folder that it has made for a mount."""
    client = types.SimpleNamespace()
    client.diff = lambda _identity: changes("/data", "/code/note.txt")
    client.inspect_container = lambda _identity: {"Mounts": [{"Destination": "/data"}]}
    old = [types.SimpleNamespace(id="a", name="web-1")]
    assert it.lost_with(types.SimpleNamespace(api=client), old, []).endswith(": /code/note.txt")
    client.inspect_container = lambda _identity: {}
    assert "/data" in it.lost_with(types.SimpleNamespace(api=client), old, [])
