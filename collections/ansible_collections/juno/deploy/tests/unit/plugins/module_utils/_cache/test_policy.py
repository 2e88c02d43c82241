# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person allows to go from a cache, and how a refusal reads."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._cache import policy


@pytest.mark.parametrize(
    ("numbers", "held"),
    [
        (
            (41, 1302, ["blog:1:", "x:4:"]),
            "41 sessions and 1,302 keys of others (2 other prefixes: blog:1:, x:4:), which",
        ),
        ((1, 0), "1 session, which a flush would take: let single entries be deleted"),
        ((0, 1, ["x:1:"]), "1 key of others (1 other prefix: x:1:), which a flush would take"),
        (
            (-1, 0, [], "it is closed."),
            "the app's sessions, which a flush would take, and its entries can't be deleted one by one (it is closed)",
        ),
    ],
)
def test_a_refusal_has_the_numbers_and_what_to_do(numbers, held):
    text = policy.refusal("m:11211", *numbers)
    assert text.startswith(f"m:11211 holds {held}")
    assert text.endswith("Nothing was cleared there.")


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0, 0), ""),
        ((1, 0, 0), ", 1 session stay"),
        ((3, 20, 0), ", 3 sessions and 20 keys of others stay"),
        ((0, 0, 2), ", 2 kept ones stay"),
        ((0, 1000, 0), ", 1,000 keys of others stay"),
    ],
)
def test_what_stays_is_said(counts, text):
    assert policy.stayed(*counts) == text


@pytest.mark.parametrize(
    ("name", "key", "found"),
    [
        ("pages", "views.decorators.cache.cache_page..GET.abc.def.en-us.UTC", True),
        ("pages", "views.decorators.cache.cache_header..abc.en-us.UTC", True),
        ("pages", "my_views.decorators.cache.cache_page.", False),
        ("fragments", "template.cache.sidebar.0a", True),
        ("fragments", "template_cache", False),
        ("sessions", "django.contrib.sessions.cached_dbabc", True),
        ("sessions", "django.contrib.sessions.cacheabc", True),
    ],
)
def test_names_stand_for_djangos_own_keys(name, key, found):
    (expression,) = policy.Policy(keep=(name,)).as_request()["keep"]
    assert bool(re.search(expression, key)) is found


def test_what_is_no_expression_is_refused():
    with pytest.raises(BadInputError, match=r"keep has '\('"):
        policy.read({"mode": "auto", "keep": ["pages", "("], "allow_loss": False})


@pytest.mark.parametrize(
    ("engine", "alias", "lost"),
    [("cache", "default", True), ("cache", "other", False), ("cached_db", "default", False)],
)
def test_whose_sessions_are_lost(engine, alias, lost):
    listing = {"session_engine": f"django.contrib.sessions.backends.{engine}", "session_alias": "default"}
    assert policy.sessions_live_in(listing, alias) is lost
