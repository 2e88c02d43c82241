# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a list are meant, and that no key becomes a command of its own."""

from __future__ import annotations

import urllib.parse

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import keys

PAGE, HEADER = (b":1:views.decorators.cache.cache_%s.x" % one for one in (b"page", b"header"))
SESSION = b"django.contrib.sessions.cache0a"


def block(*names: bytes, cas: int = 5) -> bytes:
    """Make lines as memcached 1.6 writes them."""
    escaped = [urllib.parse.quote_from_bytes(one, safe="").encode() for one in names]
    return b"".join(b"key=%s exp=-1 la=1795000000 cas=%d fetch=no cls=1 size=63\n" % (one, cas) for one in escaped)


def choose(*names: bytes, before: int = 0, **selection: tuple[str, ...]):
    chooser = keys.Chooser(keys.Selection(**selection))
    return chooser, chooser.take(block(*names), before)


@pytest.mark.parametrize(
    "name",
    [b"a:1:x", b"a:1:", b"a:1:" + bytes(range(256)), "a:1:ü".encode(), b"a:1:%3A", b"a:1:key=b:1:x exp=0 la=0 cas=1 "],
)
def test_a_key_comes_back_as_it_was_stored(name):
    assert choose(name)[1] == [name]
    assert choose(name, prefixes=("a:1:",), before=6)[1] == [name]


@pytest.mark.parametrize("name", [b"b:1:x", b"a:10:x", b"xa:1:x", b"A:1:x", b"a:1", b"", b"b: a:1:x"])
def test_a_key_that_only_looks_alike_is_not_meant(name):
    chooser, found = choose(name, prefixes=("a:1:",))
    assert (found, chooser.others) == ([], 1)


def test_a_prefix_with_anything_in_it():
    assert choose(b"a.b*:1:x", b"aXb*:1:x", prefixes=("a.b*:1:",))[1] == [b"a.b*:1:x"]
    assert choose("ü %:1:x".encode(), prefixes=("ü %:1:",))[1] == ["ü %:1:x".encode()]


def test_of_two_prefixes_the_longer_one_is_taken_off():
    names = (b"a:1:x", b"a:1:b:1:rate")
    assert choose(*names, prefixes=("a:1:", "a:1:b:1:"), keep=("^rate",))[1] == [b"a:1:x"]


def test_what_was_written_since_is_not_meant():
    chooser = keys.Chooser(keys.Selection(prefixes=("a:",)))
    assert chooser.take(block(b"a:old", cas=6) + block(b"a:new", cas=7), 7) == [b"a:old"]
    assert chooser.meant == 1


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({"match": ("pages",)}, [PAGE, HEADER]),
        ({"match": ("fragments",)}, [b":1:template.cache.side.0a"]),
        ({"match": ("pages", "^:1:rate")}, [PAGE, HEADER, b":1:rate"]),
        ({"match": ("pages",), "keep": ("header",)}, [PAGE]),
        ({"match": ("nothing like it",)}, []),
        ({"match": ("pages",), "prefixes": (":1:views.",)}, []),
        ({"keep": ("sessions", "pages", "fragments")}, [b":1:rate", b":1:no_template.cachet"]),
        ({"prefixes": (":1:",), "keep": ("^rate", "sessions", "template|views")}, []),
    ],
)
def test_names_and_expressions(selection, found):
    names = (
        PAGE,
        HEADER,
        b":1:template.cache.side.0a",
        b":1:" + SESSION,
        b":1:rate",
        b":1:no_template.cachet",
    )
    assert choose(*names, **selection)[1] == found


def test_what_stays_is_counted():
    names = (b"a:1:x", b"a:1:y", b"a:1:" + SESSION, b"b:1:x", b"b:1:y", b"c:2:x", b"plain", b"b:1:" + SESSION)
    chooser, _found = choose(*names, prefixes=("a:1:",), keep=("sessions", "^y"))
    assert (chooser.meant, chooser.kept, chooser.sessions, chooser.others) == (1, 2, 1, 5)
    assert chooser.begins == {"b:1:": 3, "c:2:": 1, "": 1}


def test_only_some_begins_are_named():
    many = [b"%d:1:x" % number for number in range(keys.MOST_COUNTED + 50)]
    chooser, _found = choose(*many, prefixes=("a:1:",))
    chooser.take(block(b"late:1:x"))
    assert len(chooser.begins) == keys.MOST_PREFIXES
    assert chooser.others == len(many) + 1


def test_lines_of_another_version():
    line = b"key=a%3A1%3Ax exp=1795000060 la=1795000000 cas=9 fetch=yes cls=3 size=80 flags=2 ext=x\n"
    assert keys.Chooser(keys.Selection()).take(b"OK\r\n" + line, 10) == [b"a:1:x"]


@pytest.mark.parametrize("version", ["1.6.10", "1.6.18", "1.6.9", "1.4.39", "1.5.22", ""])
def test_no_key_ends_its_command(version):
    hostile = [b"a\r\nflush_all\r\n", b"a noreply", b"a\x00b", b"a\x7f", b"a\tb"]
    text = keys.delete_commands([*hostile, b"plain"], version)
    lines = text.split(b"\r\n")
    assert len(lines) == len(hostile) + 2
    assert lines[-2:] == [(b"md " if version in ("1.6.10", "1.6.18") else b"delete ") + b"plain", b""]
    assert all(line.endswith(b" b") and b"flush" not in line for line in lines[:-2])


def test_a_million_plain_keys_are_one_text():
    assert keys.delete_commands([b"a", b"b"], "1.6.38") == b"md a\r\nmd b\r\n"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"match": ["("]}, "match has '\\('"),
        ({"keep": ["["]}, "keep has '\\['"),
        ({"prefix": ["a", ""]}, "every key begins with"),
    ],
)
def test_bad_input(options, says):
    with pytest.raises(BadInputError, match=says):
        keys.parse_selection({"prefix": [], "match": [], "keep": [], **options})


def test_nothing_chosen_is_no_selection():
    assert not keys.parse_selection({"prefix": [], "match": [], "keep": []})
    assert keys.parse_selection({"prefix": [], "match": [], "keep": ["sessions"]})
