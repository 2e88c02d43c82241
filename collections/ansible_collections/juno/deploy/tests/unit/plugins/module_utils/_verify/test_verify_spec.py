# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which figures a verification refuses."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_spec

GOOD = {
    "wait_seconds": 0, "timeout_seconds": 0.5, "max_assets": 1, "max_body_bytes": 1, "found_seconds": 1,
    "sitemap_pages": 0, "log_pages": 200, "port": None, "sitemap": "/sitemap.xml", "project": "jobs", "manifest": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"wait_seconds": -1}, "wait_seconds is -1"),
        ({"timeout_seconds": 0}, "timeout_seconds is 0: give more than 0."),
        ({"max_assets": 0}, "max_assets is 0"),
        ({"max_body_bytes": -5}, "max_body_bytes is -5"),
        ({"found_seconds": 0}, "found_seconds is 0"),
        ({"sitemap_pages": -1}, "sitemap_pages is -1: give 0 to 200."),
        ({"log_pages": 201}, "log_pages is 201: give 0 to 200."),
        ({"port": 0}, "port is 0"),
        ({"port": 65536}, "port is 65536"),
        ({"port": 65535}, ""),
        ({"sitemap": "sitemap.xml"}, "does not begin with a slash"),
        ({"project": None}, "name the compose project as well"),
        ({"project": None, "log_pages": 0, "manifest": "a.json"}, "name the compose project as well"),
        ({"project": None, "log_pages": 0}, ""),
    ],
)
def test_check_figures(change, says):
    with pytest.raises(BadInputError) if says else contextlib.nullcontext() as caught:
        verify_spec.check_figures({**GOOD, **change})
    assert not says or says in caught.value.message
