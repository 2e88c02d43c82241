# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads to what, and what a storage asks for."""

from __future__ import annotations

import io

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_references as it

NAMED = {"a": ["b"], "b": ["c"], "d": ["c?"], "e": ["b?"], "f": ["f"], "g": []}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], set()),
        (["c"], {"a", "b", "c", "d"}),  # e names what b holds, which is what it was
        (["b"], {"a", "b", "e"}),
        (["f"], {"f"}),
        (["new"], {"new"}),
    ],
)
def test_what_leads_to_a_file(names, found):
    assert {name for name in it.leading_to(NAMED, names) if not name.endswith("?")} == found


def test_what_a_file_leads_to():
    assert it.below(NAMED, ["a"]) == {"a", "b", "c"}
    assert it.below(NAMED, ["f", "g"]) == {"f", "g"}


@pytest.mark.parametrize(
    ("order", "named", "passes", "settled"),
    [
        (["a"], {}, 0, True),
        (["c", "b", "a"], {"a": ["b"], "b": ["c"], "c": ["x.png"]}, 1, True),
        (["a", "b", "c"], {"a": ["b"], "b": ["c"], "c": ["x.png"]}, 2, False),
        (["a", "b", "c"], {"a": ["b"], "b": ["c"], "c": ["x.png"]}, 3, True),
        (["a", "b", "c"], {"a": ["b"], "b": ["c"]}, 2, True),  # c is left as it is
        (["a", "b"], {"a": ["b"], "b": ["a"]}, 99, False),
        (["a"], {"a": ["a"]}, 99, False),
        (["a"], {"a": ["a?"]}, 1, True),
    ],
)
def test_how_many_passes_it_takes(order, named, passes, settled):
    assert it.settles(order, named, passes) is settled


class Storage:
    """As much of a storage as is asked for."""

    def clean_name(self, name):
        return name.replace("\\", "/")

    def hashed_name(self, name, content):
        return f"{name} of {content.read()}"

    def url_converter(self, name, hashed_files):
        return lambda match: self._stored_name(match, hashed_files)

    def _stored_name(self, name, hashed_files):
        return f"asked for {name}"


class Source:
    def open(self, path):
        return io.StringIO(f"what {path} holds")


class Text(str):
    """As much of a match as is asked for."""

    __slots__ = ()

    def group(self):
        return str(self)


FOUND = {name: (Source(), name) for name in ("css/a.css", "img/b.png", "img/c.png", "img/d%20.png")}


@pytest.mark.parametrize(
    ("asked", "answer", "named", "doubt"),
    [
        ("css/../img/b.png", "img/b.1.png", {"img/b.png"}, ""),
        ("img/b.png?v=1", "img/b.png?v=1 of what img/b.png holds", {"img/b.png?"}, ""),
        ("img/c.png", "asked for img/c.png", {"img/c.png"}, ""),
        ("img/c.png?v=1", "asked for img/c.png?v=1", {"img/c.png?"}, ""),
        (".", "asked for .", set(), ""),
        ("css", "asked for css", set(), ""),
        ("img", "asked for img", set(), "css/a.css names img, which is no source"),
        ("img/x.png", "asked for img/x.png", set(), "css/a.css names img/x.png, which is no source"),
        (
            "img/d%20.png",
            "asked for img/d%20.png",
            set(),
            "css/a.css names img/d%20.png, which can be read in two ways",
        ),
    ],
)
def test_what_is_named_is_noted_and_answered(asked, answer, named, doubt):
    storage = Storage()
    seen = it.References(storage, FOUND, {"img/b.png": "img/b.1.png"})
    with seen.noted():
        assert storage.url_converter("css/a.css", {})(Text(asked)) == answer
    assert seen.named["css/a.css"] == named
    assert seen.doubt == doubt
    assert vars(storage) == {}


def test_a_storage_that_adjusts_nothing_is_left_alone():
    with it.References(object(), FOUND, {}).noted():
        pass
