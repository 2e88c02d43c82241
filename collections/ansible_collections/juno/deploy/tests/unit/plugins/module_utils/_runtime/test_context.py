# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks the site for a page, and what counts as an answer."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context


@pytest.mark.parametrize(("status", "seen"), [(0, 0), (200, 200), (301, 301), (404, 404), (500, 0), (503, 0)])
def test_an_error_of_a_server_is_no_answer(monkeypatch, status, seen):
    asked = []

    def answers(*args):
        asked.append(args)
        return status

    monkeypatch.setattr(context.http, "status", answers)
    assert context.make_probe("http://127.0.0.1:8001", "/jobs/", {"Host": "a"})() == seen
    assert asked == [("127.0.0.1", 8001, "/jobs/", {"Host": "a"}, context.PROBE_TIMEOUT_SECONDS)]


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "https://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_told(url):
    with pytest.raises(BadInputError, match="must be like http://127"):
        context.make_probe(url, "/", {})
