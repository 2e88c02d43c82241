# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: which static files name which, as a storage finds it while it processes them.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import posixpath
import typing as t
from urllib.parse import unquote, urlsplit

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import overridden

#: Behind the name of a file that is named by what it holds before it is adjusted, not by its last hashed name.
SOURCE = "?"


class References:
    """What the files that a storage adjusts name, noted while it does so.

    C(found) are all sources (see _in_app.static_fingerprint.sources), C(carried) the hashed names of those that are not
    processed in this run. What is asked of these is answered as the storage would if it had them.
    """

    def __init__(self, storage: t.Any, found: "dict[str, tuple[t.Any, str]]", carried: "dict[str, str]") -> None:
        """Note nothing yet."""
        self.storage, self.found, self.carried = storage, found, carried
        #: The sources that each adjusted file names (see C(SOURCE)); one that was left as it is is not there.
        self.named: dict[str, set[str]] = {}
        #: Why what was noted does not tell all that a file hangs on.
        self.doubt = ""
        self._at = ""

    @contextlib.contextmanager
    def noted(self) -> "t.Iterator[None]":
        """Note what is named meanwhile."""
        storage = self.storage
        if not hasattr(storage, "_stored_name"):  # it adjusts no files
            yield
            return
        url_converter, stored_name = storage.url_converter, storage._stored_name

        def convert(name: str, *args: t.Any, **kwargs: t.Any) -> t.Any:
            self._at = name
            converter = url_converter(name, *args, **kwargs)

            def converted(match: "t.Match[str]") -> str:
                text = str(converter(match))
                if text != match.group():
                    self.named.setdefault(name, set())
                return text

            return converted

        def stored(name: str, hashed_files: "dict[str, str]") -> str:
            answer = self._note(storage.clean_name(posixpath.normpath(name)))
            return stored_name(name, hashed_files) if answer is None else answer

        with overridden(storage, {"url_converter": convert, "_stored_name": stored}):
            yield

    def _note(self, key: str) -> "str | None":
        """Note a name that is asked for; return the answer where the file is not processed in this run."""
        # A name with a query.
        plain = urlsplit(unquote(key)).path.strip()
        source = key if key in self.found else plain
        if source not in self.found:
            # Folders on the way to the file are there in each run.
            if key != "." and not self._at.startswith(key + "/"):
                self.doubt = f"{self._at} names {key}, which is no source"
            return None
        if source != plain:
            self.doubt = f"{self._at} names {key}, which can be read in two ways"
            return None
        self.named.setdefault(self._at, set()).add(source if source == key else source + SOURCE)
        if source not in self.carried:
            return None
        if source == key:
            return self.carried[key]
        storage, path = self.found[source]
        with storage.open(path) as content:
            return str(self.storage.clean_name(self.storage.hashed_name(key, content)))


def leading_to(named: "dict[str, t.Iterable[str]]", names: "list[str]") -> "set[str]":
    """Return the names, and all that name them, through chains."""
    users: dict[str, list[str]] = {}
    for name, references in named.items():
        for reference in references:
            users.setdefault(reference, []).append(name)
    return below(users, names + [name + SOURCE for name in names])


def below(named: "t.Mapping[str, t.Iterable[str]]", names: "t.Iterable[str]") -> "set[str]":
    """Return the names, and all that they name, through chains."""
    found, rest = set(names), list(names)
    while rest:
        for reference in named.get(rest.pop(), ()):
            if reference not in found:
                found.add(reference)
                rest.append(reference)
    return found


def settles(order: "list[str]", named: "t.Mapping[str, t.Iterable[str]]", passes: int) -> bool:
    """Return whether so many passes over the adjustable files, in this order, surely give each its last name.

    A file has it once all that it names had it before: one that is further down gets it only in the next pass, and
    those that name each other in a circle never do. One that isn't in C(named) is left as it is, and has it from the
    start.
    """
    rest = [name for name in order if name in named]
    adjustable, last = set(rest), set()
    for _turn in range(passes):
        later = []
        for name in rest:
            if all(one in last or one not in adjustable for one in named[name]):
                last.add(name)
            else:
                later.append(name)
        rest = later
    return not rest
