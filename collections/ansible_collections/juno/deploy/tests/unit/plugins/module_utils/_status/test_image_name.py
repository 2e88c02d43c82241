# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is called in the status."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._status import image_name

NEW = "b" * 40
OURS = ("app-web:juno-bbbbbbbbbbbb-7", "app-web:juno-bbbbbbbbbbbb")


@pytest.mark.parametrize(
    ("names", "commit", "called", "words"),
    [
        # A person's, and another release's of the same image.
        (["aaa/backup:1", "app-web:juno-aaaaaaaaaaaa", *OURS, "app-web:latest"], NEW, "app-web", OURS[1]),
        (["app-queue:juno-bbbbbbbbbbbb", *OURS], NEW, "app-web", OURS[1]),
        (OURS[:1], NEW, "app-web", OURS[0]),
        (["aaa/backup:1", "ghcr.io/me/app:2"], NEW, "ghcr.io/me/app:2", "ghcr.io/me/app:2"),
        (["aaa/backup:1", "app-web:juno-aaaaaaaaaaaa", "app-web:latest"], NEW, "app-web", "app-web"),
        # That name means another image by now.
        (["app-web:juno-aaaaaaaaaaaa", "b:1"], NEW, "app-web", "b:1"),
        (["app-web:juno-aaaaaaaaaaaa"], "", "", "app-web:juno-aaaaaaaaaaaa"),
        ([], NEW, "app-web", "222222222222"),
    ],
)
def test_an_image_is_called_by_its_release(names, commit, called, words):
    one = Container("i1", "app-web-1", "web", 1, "running", f"sha256:{'2' * 64}", (), (), image_name=called)
    assert image_name.of(one, names, commit) == words
