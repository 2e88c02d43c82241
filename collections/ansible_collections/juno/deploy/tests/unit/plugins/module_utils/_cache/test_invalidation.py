# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the caches goes after a release's switch."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._cache.invalidation import replaced_names, scope

NAMES = ["css/site.3c0fb1d2a9e7.css"]


@pytest.mark.parametrize(
    ("built", "collected", "recollect", "names"),
    [
        ({}, {}, False, None),
        ({"static": {}}, {"replaced_names": NAMES}, False, None),
        ({"static": {"why": "/code/staticfiles is in the image, not in a volume"}}, {}, False, None),
        ({"static": {"replaced_names": []}}, {}, False, []),
        ({"static": {"replaced_names": NAMES}}, {}, False, NAMES),
        ({"static": {"replaced_names": None}}, {}, False, None),
        ({"static": {"replaced_names": NAMES}}, {"replaced_names": []}, True, []),
        ({}, {"replaced_names": NAMES}, True, NAMES),
        ({}, {"replaced_names": None}, True, None),
    ],
)
def test_which_static_files_were_replaced(built, collected, recollect, names):
    assert replaced_names(built, collected, recollect=recollect) == names


@pytest.mark.parametrize(
    ("purpose", "planned", "recollect", "replaced", "goes"),
    [
        ("deploy", "all", False, None, "all"),
        ("deploy", "all", False, [], "all"),
        ("deploy", "none", False, NAMES, "none"),
        ("deploy", "naming", False, NAMES, "naming"),
        ("deploy", "naming", False, [], "none"),
        ("deploy", "naming", False, None, "all"),
        ("deploy", "", False, [], "all"),
        ("rollback", "", False, [], "all"),
        ("rollback", "none", False, [], "all"),
        ("", "", False, None, "all"),
        ("restart", "", False, [], "all"),
        ("restart", "", True, NAMES, "naming"),
        ("restart", "", True, [], "none"),
        ("restart", "", True, None, "all"),
    ],
)
def test_what_goes(purpose, planned, recollect, replaced, goes):
    plan = {"clear": planned} if planned else {}
    assert scope(purpose, plan, recollect=recollect, replaced=replaced) == goes
