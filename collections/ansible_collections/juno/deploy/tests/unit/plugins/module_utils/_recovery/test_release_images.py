# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image tags go."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._recovery import release_images


@pytest.mark.parametrize(
    ("tags", "kept", "gone"),
    [
        ([], [], []),
        (["jobs-web:latest", "jobs-web:juno-aaaaaaaaaaaa"], ["a" * 40], []),
        (["jobs-web:juno-aaaaaaaaaaaa", "jobs-web:juno-bbbbbbbbbbbb"], ["a" * 40], ["jobs-web:juno-bbbbbbbbbbbb"]),
        (["a-web:v1"], ["b" * 40], []),
        (["here:5000/x:juno-cccccccccccc", "here:5000/juno-x:1"], [], ["here:5000/x:juno-cccccccccccc"]),
    ],
)
def test_stale_tags(tags, kept, gone):
    assert release_images.stale_tags(tags, kept) == gone
