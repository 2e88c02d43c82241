# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataclasses from plain data, by the types of their fields."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import typed as it


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    sizes: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Whole:
    flag: bool = False
    count: int = 0
    seconds: float = 0.0
    names: list[str] = dataclasses.field(default_factory=list)
    by_name: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    pairs: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    anything: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    part: Part | None = None


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        ({}, Whole()),
        ({"flag": True, "count": 100, "seconds": 1}, Whole(True, 100, 1.0)),
        ({"seconds": 0.5, "count": None}, Whole(seconds=0.5)),
        ({"names": ["a"], "by_name": {"a": [1, 10]}}, Whole(names=["a"], by_name={"a": [1, 10]})),
        ({"pairs": [["a", 1]]}, Whole(pairs=[("a", 1)])),
        ({"anything": {"a": [None, {"b": 1}]}}, Whole(anything={"a": [None, {"b": 1}]})),
        ({"part": {"name": "x", "sizes": [1, 2]}}, Whole(part=Part("x", (1, 2)))),
        ({"part": None}, Whole()),
    ],
)
def test_what_fits_is_read(raw, whole):
    assert it.from_plain(Whole, raw) == (whole, {})
    assert it.from_plain(Whole, it.to_plain(whole)) == (whole, {})


@pytest.mark.parametrize(
    ("raw", "field", "problem"),
    [
        ({"flag": 1}, "flag", "is a whole number and ought to be true or false"),
        ({"count": True}, "count", "is true or false and ought to be a whole number"),
        ({"count": 1.5}, "count", "is a number and ought to be a whole number"),
        ({"seconds": "1"}, "seconds", "is a text and ought to be a number"),
        ({"seconds": False}, "seconds", "is true or false and ought to be a number"),
        ({"names": {}}, "names", "is an object and ought to be a list"),
        ({"names": ["a", None]}, "names", "is null and ought to be a text"),
        ({"by_name": {"a": [1, "2"]}}, "by_name", "is a text and ought to be a whole number"),
        ({"pairs": [["a"]]}, "pairs", "has 1 parts and ought to have 2"),
        ({"part": {"sizes": []}}, "part.name", "is missing"),
        ({"part": {"name": "x", "sizes": ["1"]}}, "part.sizes", "is a text and ought to be a whole number"),
        ({"part": "x"}, "part", "is a text and ought to be an object"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(raw, field, problem):
    with pytest.raises(it.KindError) as caught:
        it.from_plain(Whole, raw)
    assert (caught.value.field, caught.value.problem) == (field, problem)


def test_what_is_harmless_has_its_default():
    assert it.from_plain(Whole, {"flag": True, "count": "x", "part": 7}, ("count", "part")) == (Whole(True), {})


def test_what_is_unknown_is_given_beside():
    raw = {"flag": True, "new": 1, "part": {"name": "x", "newer": [2]}}
    assert it.from_plain(Whole, raw) == (Whole(True, part=Part("x")), {"new": 1, "part": {"newer": [2]}})
