# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a container's paths are on the host, and a host's in a container."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import mounts

MOUNTS = (
    mounts.Mount("/code", "/srv/app"),
    mounts.Mount("/code/media", "/srv/media"),
    mounts.Mount("/pyc", "/var/lib/docker/volumes/pyc/_data"),
)


def test_mounts_in_memory_lead_nowhere() -> None:
    inspected = [
        {"Type": "bind", "Source": "/srv/app", "Destination": "/code/"},
        {"Type": "tmpfs", "Source": "", "Destination": "/tmp"},
        {"Type": "npipe", "Destination": "/pipe"},
    ]
    assert mounts.parse_mounts(inspected) == (mounts.Mount("/code", "/srv/app"),)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/code", "/srv/app"),
        ("/code/a/b", "/srv/app/a/b"),
        ("/code/media/x", "/srv/media/x"),
        ("/code/mediaeval", "/srv/app/mediaeval"),
        ("/codes", ""),
        ("/", ""),
        ("/pyc/code", "/var/lib/docker/volumes/pyc/_data/code"),
    ],
)
def test_a_path_in_a_container_is_found_on_the_host(path: str, found: str) -> None:
    assert mounts.host_path(path, MOUNTS) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/srv/app", [("/srv/app", "/code")]),
        ("/srv/app/jobs", [("/srv/app/jobs", "/code/jobs")]),
        ("/srv", [("/srv/app", "/code"), ("/srv/media", "/code/media")]),
        ("/srv/apples", []),
    ],
)
def test_a_directory_of_the_host_is_found_in_a_container(path: str, found: list[tuple[str, str]]) -> None:
    assert mounts.places(path, MOUNTS) == found
