# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that are too small for what they mean are refused."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import options, ranges
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError


def test_the_defaults_are_right():
    ranges.require(options.defaults(options.RELEASE))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"record": {"keep_releases": 0}}, "'record.keep_releases' is 0, and must be 1 at least"),
        ({"switch": {"grace_seconds": -5}}, "'switch.grace_seconds' is -5, and must be 0 at least"),
        ({"probe_rate": -1.0}, "'probe_rate' is -1.0"),
    ],
)
def test_what_can_not_be(params, words):
    with pytest.raises(BadInputError) as caught:
        ranges.require(params)
    assert caught.value.message.startswith(words)


@pytest.mark.parametrize(
    "params", [{"probe_rate": 0}, {"switch": {"purge_bytecode": False}}, {"headers": {"X-A": "-1"}}]
)
def test_what_can_be(params):
    ranges.require(params)
