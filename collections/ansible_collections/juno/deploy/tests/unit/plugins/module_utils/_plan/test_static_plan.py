# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether static files are to be collected."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan import static_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal


def test_a_bucket_is_named_where_something_goes_there():
    at = dataclasses.replace(journal.NO_RELEASE, layout={"static_at": {"place": "the bucket 'shop' (s3.S3)"}})
    assert static_plan.words([at], collects=True) == [
        "static files go to the bucket 'shop' (s3.S3) before the switch: what differs; nothing is removed there"
    ]
    assert static_plan.words([at], collects=False) == []
    assert static_plan.words([], collects=True) == []


@pytest.mark.parametrize(
    ("wanted", "strategy", "own_command", "plan", "collects"),
    [
        ("always", "rolling", True, {"static_changed": False}, True),
        ("never", "reload", False, {}, False),
        ("auto", "rolling", True, {}, False),
        ("auto", "rolling", False, {}, True),
        # The app's own command doesn't run then.
        ("auto", "reload", True, {}, True),
        ("auto", "reload", True, {"static_changed": False}, False),
        # What a front-end's build made lies in the clean checkout only.
        ("auto", "rolling", True, {"static_changed": False, "frontend": True}, True),
    ],
)
def test_who_collects_static_files(wanted, strategy, own_command, plan, collects):
    assert static_plan.collects(wanted, strategy, plan_plan.Plan(**plan), own_command=own_command) == collects
