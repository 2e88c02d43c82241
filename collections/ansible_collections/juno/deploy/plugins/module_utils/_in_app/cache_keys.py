# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: delete single entries of a cache by their keys.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_redis import Redis, UnableError

#: Keys that one command deletes: few enough for every database's limit of parameters.
CHUNK = 500
SESSIONS = "django.contrib.sessions."


class Rows:
    """The keys of a DatabaseCache."""

    def __init__(self, cache: t.Any) -> None:
        database = importlib.import_module("django.db")
        self._connection = database.connections[database.router.db_for_write(cache.cache_model_class)]
        self._table = self._connection.ops.quote_name(cache._table)

    def names(self) -> "t.Iterator[str]":
        """Return all of them."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT cache_key FROM {self._table}")  # noqa: S608 - Django's own, quoted
            for row in cursor.fetchall():
                yield str(row[0])

    def delete(self, names: "list[str]") -> int:
        """Delete some, and return how many there were."""
        marks = ", ".join(["%s"] * len(names))
        with self._connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._table} WHERE cache_key IN ({marks})", names)  # noqa: S608 - as above
            return max(0, int(cursor.rowcount))


SOURCES: "dict[str, t.Any]" = {"database": Rows, "redis": Redis}


def source_of(family: str, cache: t.Any) -> t.Any:
    """Return the keys of a cache.

    :raises UnableError: its backend has no way to list them.
    """
    if family not in SOURCES:
        raise UnableError(f"{type(cache).__name__} can't list the keys of its entries")
    return SOURCES[family](cache)


class Choice:
    """Which keys are the app's own entries, which are sessions, and which are others'."""

    def __init__(self, begins: "t.Sequence[str]", keep: "t.Sequence[str]") -> None:
        self.begins = tuple(begins)
        self.keep = [re.compile(one) for one in keep]
        self.sessions = self.others = self.kept = 0

    def takes(self, name: str) -> bool:
        """Return whether a key is to go, and count why it is not."""
        found = next((one for one in self.begins if name.startswith(one)), None)
        if SESSIONS in name:
            self.sessions += 1
        elif found is None:
            self.others += 1
        elif any(one.search(name[len(found) :]) for one in self.keep):
            self.kept += 1
        else:
            return True
        return False

    def counts(self) -> "dict[str, int]":
        """Return the counts."""
        return {"sessions": self.sessions, "others": self.others, "kept": self.kept}


def delete_own(source: t.Any, choice: t.Any) -> "dict[str, int]":
    """Delete what C(choice) takes, as C(Choice) does, and return what was deleted and what stays."""
    deleted = 0
    chunk: list[str] = []
    for name in source.names():
        if choice.takes(name):
            chunk.append(name)
        if len(chunk) == CHUNK:
            deleted += source.delete(chunk)
            chunk = []
    if chunk:
        deleted += source.delete(chunk)
    return dict(choice.counts(), deleted=deleted)


def count_only(source: t.Any, choice: Choice) -> "dict[str, int]":
    """Count what would go and what not."""
    own = sum(1 for name in source.names() if choice.takes(name))
    return dict(choice.counts(), own=own)
