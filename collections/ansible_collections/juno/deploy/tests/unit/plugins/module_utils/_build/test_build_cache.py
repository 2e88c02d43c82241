# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the build cache is ours, and what of it goes."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import build_cache
from ansible_collections.juno.deploy.plugins.module_utils._build.build_cache import Record

#: As Engine 26.1.5 tells it, shortened; the space in " Parents" is the Engine's own.
ANSWER = {
    "BuildCache": [
        {
            "ID": "ydwy",
            " Parents": ["4nih"],
            "Type": "regular",
            "Description": "mount / from exec /bin/sh -c pip install -r requirements.txt",
            "InUse": False,
            "Shared": True,
            "Size": 0,
            "CreatedAt": "2026-11-29T23:17:31.395131561Z",
            "LastUsedAt": "2026-11-29T23:17:31.917177982Z",
            "UsageCount": 1,
        },
        {
            "ID": "a3p3",
            "Type": "source.local",
            "Description": "local source for context",
            "InUse": False,
            "Shared": False,
            "Size": 288,
            "CreatedAt": "2026-11-29T23:17:08.531088062Z",
            "LastUsedAt": None,
            "UsageCount": 1,
        },
        {"ID": "front", "Type": "frontend", "InUse": False, "Shared": False, "Size": 9, "CreatedAt": "2026"},
    ]
}


def test_parse_records():
    assert build_cache.parse_records(ANSWER) == {
        "ydwy": Record("ydwy", 0, "2026-11-29T23:17:31.917177982Z", ("4nih",), held=True),
        "a3p3": Record("a3p3", 288, "2026-11-29T23:17:08.531088062Z"),
        "front": Record("front", 9, "2026", held=True),
    }
    assert build_cache.parse_records({"BuildCache": None}) == {}


def of(**used: str) -> dict[str, Record]:
    return {name: Record(name, 1, when) for name, when in used.items()}


@pytest.mark.parametrize(
    ("known", "before", "after", "alone", "ours"),
    [
        # What was there before the first build is not ours, also when it is used.
        ({}, of(old="1"), of(old="2", new="2"), True, {"new": "2"}),
        ({"a": "1"}, of(a="1"), of(a="2", b="2"), True, {"a": "2", "b": "2"}),
        # Another build has used it since.
        ({"a": "1", "b": "1"}, of(a="1", b="5"), of(a="6", b="6"), True, {"a": "6"}),
        ({"a": "1"}, of(), of(b="2"), True, {"b": "2"}),
        # Somebody else built meanwhile.
        ({"a": "1", "b": "1"}, of(a="1", b="1"), of(a="1", b="2", c="2"), False, {"a": "1"}),
        ({}, of(), of(), True, {}),
    ],
)
def test_claim(known, before, after, alone, ours):
    assert build_cache.claim(known, before, after, alone=alone) == ours


def test_the_longest_unused_goes_first_and_each_before_its_parents():
    records = {
        "base": Record("base", 10, "2"),
        "child": Record("child", 10, "3", ("base",)),
        "grandchild": Record("grandchild", 10, "3", ("child",)),
        "old": Record("old", 10, "1"),
        "held": Record("held", 10, "1", held=True),
        "foreign": Record("foreign", 10, "1", ("below foreign",)),
        "below foreign": Record("below foreign", 10, "1", ("further below",)),
        "further below": Record("further below", 10, "1"),
        "used since": Record("used since", 10, "2"),
    }
    known = {name: one.used for name, one in records.items() if name != "foreign"} | {"used since": "1"}
    image = Record("sha256:i", 10, "2")

    def gone(limit: int) -> list[str]:
        return [one.id for one in build_cache.surplus(records, known, [image], limit)]

    assert gone(50) == []
    assert gone(49) == ["old"]
    assert gone(30) == ["old", "sha256:i"]
    assert gone(0) == ["old", "sha256:i", "grandchild", "child", "base"]


class Engine:
    """The part of the Docker SDK that is asked."""

    base_url = "http+docker://localhost"

    def __init__(self, api_version: str = "1.45", status: int = 200) -> None:
        self.api = self
        self.api_version = api_version
        self.status_code = status
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.listed: list[dict[str, object]] = []

    def get(self, url: str, params: dict[str, str], timeout: int) -> Engine:
        self.asked.append((url, params))
        return self

    post = get

    def json(self) -> dict[str, object]:
        return {**ANSWER, "CachesDeleted": ["x"]}

    def images(self, **_how: object) -> list[dict[str, object]]:
        return self.listed

    def containers(self, **_how: object) -> list[dict[str, str]]:
        return [{"ImageID": "sha256:runs"}]


@pytest.mark.parametrize(
    ("engine", "known"),
    [
        (Engine(), True),
        (Engine("1.41"), False),
        (Engine("1.9"), False),
        (Engine("2.0"), True),
        (Engine(status=404), False),
    ],
)
def test_an_engine_that_can_not_tell_is_asked_no_more(engine, known):
    assert (build_cache.look(engine) is not None) is known


class _App:
    project = "jobs"


def test_images_without_a_name_that_somebody_needs_stay():
    engine = Engine()
    engine.listed = [
        {"Id": "sha256:named", "RepoTags": ["jobs-web:latest"], "Size": 1},
        {"Id": "sha256:runs", "RepoTags": [], "Size": 1},
        {"Id": "sha256:kept", "RepoTags": None, "Size": 1},
        {"Id": "sha256:gone", "RepoTags": ["<none>:<none>"], "Size": 7, "Created": 12},
    ]
    assert build_cache.unnamed(engine, _App, {"sha256:kept"}) == [Record("sha256:gone", 7, "000000000012")]


def test_a_limit_of_nothing_leaves_all_alone():
    engine = Engine()
    assert build_cache.prune(engine, _App, set(), 0) == []
    assert engine.asked == []
