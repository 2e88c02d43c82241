# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries hold a name; a real server is asked in the integration target django_cache_clear."""

from __future__ import annotations

import gzip
import pickle
import zlib

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached import batches, naming

PAGE = b'<link href="/static/css/site.0123456789ab.css">'


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (PAGE, True),
        (pickle.dumps({"content": PAGE, "at": 1}), True),
        (pickle.dumps({"content": PAGE.decode()}), True),
        (PAGE.replace(b"ab.css", b"ac.css"), False),
        (PAGE.replace(b".0123", b"x0123"), False),
        (b"", False),
        # What can't be looked into.
        (zlib.compress(b"x"), True),
        (zlib.compress(b"x", 9), True),
        (pickle.dumps({"content": gzip.compress(b"x", mtime=0)}), True),
        (b"x" * 20, False),
    ],
    ids=[
        "page",
        "pickled",
        "pickled text",
        "another name",
        "a longer name",
        "nothing",
        "compressed",
        "compressed well",
        "pickled gzip",
        "no name",
    ],
)
def test_what_holds_a_name(value, holds):
    wanted = naming.expression(["css/site.0123456789ab.css", "a(b.c"])
    assert bool(wanted.search(value)) is holds


class Server:
    """Answers as a connection does, and notes how much it was asked at once."""

    version = "1.6.38"

    def __init__(self, entries):
        self.entries, self.asked = entries, []

    def get_many(self, keys):
        self.asked.append(len(keys))
        return {key: self.entries[key] for key in keys if key in self.entries}

    def delete_many(self, commands, count):
        assert commands.count(b"\r\n") == count
        return count


def test_keys_are_asked_for_in_batches_and_those_that_are_gone_hold_nothing():
    keys = [b"key%d" % number for number in range(250)]
    server = Server({key: PAGE if number % 2 else b"-" for number, key in enumerate(keys) if number < 240})
    found = naming.holding(server, keys, naming.expression(["css/site.0123456789ab.css"]))
    assert found == [b"key%d" % number for number in range(1, 240, 2)]
    assert server.asked == [100, 100, 50]
    assert batches.delete(server, keys) == 250


def test_a_key_that_the_text_protocol_can_not_carry_counts_as_holding():
    assert naming.holding(Server({}), [b"a b", b"ab"], naming.expression(["x"])) == [b"a b"]
