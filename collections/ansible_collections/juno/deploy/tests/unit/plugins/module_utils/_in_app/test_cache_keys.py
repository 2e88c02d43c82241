# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a shared place are deleted, and that each of them is counted."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache_keys as keys

SESSION = "django.contrib.sessions.cache"


class Source:
    """Keys in memory."""

    def __init__(self, *names):
        self.there = list(names)
        self.chunks = []

    def names(self):
        yield from list(self.there)

    def delete(self, names):
        self.chunks.append(len(names))
        found = [name for name in names if name in self.there]
        self.there = [name for name in self.there if name not in found]
        return len(found)


def test_only_own_entries_go():
    others = ["me:1:rate:7", f"me:1:{SESSION}abc", "you:1:page", f"you:1:{SESSION}abc", "me:12:page", ""]
    source = Source("me:1:page", *others)
    done = keys.delete_own(source, keys.Choice(["me:1:"], [r"^rate:"]))
    assert source.there == others
    assert done == {"deleted": 1, "sessions": 2, "others": 3, "kept": 1}


def test_what_is_kept_is_searched_after_the_prefix():
    source = Source(":1:page", ":1:x")
    keys.delete_own(source, keys.Choice([":1:"], [r"^page"]))
    assert source.there == [":1:page"]


@pytest.mark.parametrize("count", [0, 1, keys.CHUNK - 1, keys.CHUNK, keys.CHUNK + 1, 3 * keys.CHUNK])
def test_all_go_in_chunks(count):
    source = Source(*[f"a:{number}" for number in range(count)])
    assert keys.delete_own(source, keys.Choice(["a:"], []))["deleted"] == count
    assert source.there == []
    assert all(0 < one <= keys.CHUNK for one in source.chunks)


def test_a_key_that_another_process_deleted_first_is_not_counted():
    source = Source("a:1", "a:2")
    source.names = lambda: iter(["a:1", "gone", "a:2"])
    assert keys.delete_own(source, keys.Choice([""], []))["deleted"] == 2


def test_counting_changes_nothing():
    source = Source("a:1", "b:1", f"a:{SESSION}x")
    assert keys.count_only(source, keys.Choice(["a:"], [])) == {"own": 1, "sessions": 1, "others": 1, "kept": 0}
    assert len(source.there) == 3


@pytest.mark.parametrize("family", ["filebased", "other", "locmem"])
def test_a_backend_without_a_list_of_keys_says_so(family):
    with pytest.raises(keys.UnableError, match="dict can't list the keys"):
        keys.source_of(family, {})


def test_a_redis_without_a_client_says_so():
    with pytest.raises(keys.UnableError, match="gives no client"):
        keys.source_of("redis", object())
