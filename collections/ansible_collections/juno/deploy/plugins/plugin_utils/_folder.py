# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of the controller that is to be deployed, as a commit. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import os
import posixpath
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git.object_ids import object_id
from ansible_collections.juno.deploy.plugins.plugin_utils import _git_objects, _gitignore
from ansible_collections.juno.deploy.plugins.plugin_utils._git_objects import Entry

if t.TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    Ignored = Sequence[tuple[bytes, Sequence[_gitignore.Pattern]]]

#: All that is sent, and one file of it. More is media, a database or an environment that came along by mistake.
MOST_BYTES, MOST_OF_A_FILE = 200_000_000, 50_000_000
MOST_FILES = 20_000
#: Of the largest places, so many are named.
_NAMED = 3
_HOW = "name what is not to be deployed in a .gitignore file of that folder"


@dataclasses.dataclass(frozen=True)
class Folder:
    """What a folder holds, as it was read."""

    top: str
    entries: dict[bytes, Entry]

    @functools.cached_property
    def trees(self) -> dict[str, bytes]:
        """Its trees by their ids, the top last."""
        return _git_objects.trees(self.entries)

    @property
    def subject(self) -> str:
        """The subject of its commit."""
        count, size = len(self.entries), sum(one.size for one in self.entries.values())
        return f"{count} file{'' if count == 1 else 's'}, {amount(size)}"

    @functools.cached_property
    def commit(self) -> bytes:
        """Its commit, which follows from the files alone."""
        return _git_objects.commit(list(self.trees)[-1], self.subject)

    @property
    def commit_id(self) -> str:
        """The id of its commit."""
        return object_id("commit", self.commit)

    @functools.cached_property
    def ids(self) -> list[str]:
        """The ids of all its objects, in a fixed order."""
        return sorted({one.id for one in self.entries.values()} | set(self.trees) | {self.commit_id})

    def pack(self, wanted: Collection[str], out: t.BinaryIO) -> None:
        """Write some of its objects as a pack.

        :raises BadInputError: a file has changed since it was read.
        """
        _git_objects.pack(self._objects(set(wanted)), len(set(wanted)), out)

    def _objects(self, wanted: set[str]) -> t.Iterator[tuple[str, bytes]]:
        for path, entry in self.entries.items():
            if entry.id in wanted:
                wanted.remove(entry.id)
                yield "blob", self._read_again(path, entry)
        yield from (("tree", content) for one, content in self.trees.items() if one in wanted)
        if self.commit_id in wanted:
            yield "commit", self.commit

    def _read_again(self, path: bytes, entry: Entry) -> bytes:
        place = os.path.join(os.fsencode(self.top), path)
        found = read(place, os.lstat(place)) if os.path.lexists(place) else None
        if found is None or object_id("blob", found[1]) != entry.id:
            raise BadInputError(
                f"{os.fsdecode(place)} was changed while it was being sent: run this again. Nothing was changed."
            )
        return found[1]


def amount(size: int) -> str:
    """Return a number of bytes for a person."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"


def find(named: str, places: Sequence[str]) -> str:
    """Return the folder that is named; a relative one is looked for below some places.

    :raises BadInputError: there is none.
    """
    asked = [os.path.abspath(os.path.join(place, os.path.expanduser(named))) for place in places if place]
    asked = list(dict.fromkeys(asked))
    found = next((one for one in asked if os.path.isdir(one)), "")
    if not found:
        raise BadInputError(
            f"There is no folder {' or '.join(asked)} on this machine: set 'files' to the folder that is to be "
            "deployed, absolute, or from the folder of the inventory. Nothing was changed."
        )
    return os.path.realpath(found)


def look(top: str) -> Folder:
    """Read a folder: what C(.git) and its .gitignore files don't leave out.

    :raises BadInputError: it is empty or too large, a link leads outside, or something in it is no file.
    """
    names = list(_walk(os.fsencode(top), b"", ()))
    _require_possible(top, names)
    entries: dict[bytes, Entry] = {}
    for path, seen in names:
        place = os.path.join(os.fsencode(top), path)
        try:
            mode, content = read(place, seen)
        except OSError as exc:
            raise BadInputError(
                f"{os.fsdecode(place)} can't be read ({exc.strerror}): give access, or {_HOW}. Nothing was changed."
            ) from exc
        if mode == _git_objects.LINK:
            _require_inside(top, path, content)
        entries[path] = Entry(mode, object_id("blob", content), len(content))
    return Folder(top, entries)


def read(place: bytes, seen: os.stat_result) -> tuple[bytes, bytes]:
    """Return the mode and the content that git has of a file or a symbolic link."""
    if stat.S_ISLNK(seen.st_mode):
        return _git_objects.LINK, os.readlink(place)
    with open(place, "rb") as file:
        return (_git_objects.PROGRAM if seen.st_mode & stat.S_IXUSR else _git_objects.FILE), file.read()


def _walk(top: bytes, folder: bytes, above: Ignored) -> t.Iterator[tuple[bytes, os.stat_result]]:
    """Yield what is to be deployed, by its path from the top, in the order of names."""
    try:
        found = sorted(os.scandir(os.path.join(top, folder)), key=lambda one: one.name)
    except OSError as exc:
        place = os.fsdecode(os.path.join(top, folder))
        raise BadInputError(
            f"{place} can't be read ({exc.strerror}): give access, or {_HOW}. Nothing was changed."
        ) from exc
    for one in found:
        # As in git, a link in its place counts for nothing.
        if one.name == _gitignore.NAME.encode() and one.is_file(follow_symlinks=False):
            with open(one.path, "rb") as file:
                above = (*above, (folder, _gitignore.parse(file.read())))
    for one in found:
        path, is_folder = os.path.join(folder, one.name), one.is_dir(follow_symlinks=False)
        # Neither a repository's own nor that of one inside of it, in letters of any size: git takes none of them.
        if one.name.lower() == b".git" or _gitignore.is_ignored(path, above, folder=is_folder):
            continue
        if is_folder:
            yield from _walk(top, path, above)
        else:
            yield path, one.stat(follow_symlinks=False)


def _require_possible(top: str, names: Sequence[tuple[bytes, os.stat_result]]) -> None:
    if not names:
        raise BadInputError(
            f"{top} holds no file that would be deployed: set 'files' to another folder. Nothing was changed."
        )
    for path, seen in names:
        name = os.path.join(top, os.fsdecode(path))
        if not (stat.S_ISREG(seen.st_mode) or stat.S_ISLNK(seen.st_mode)):
            raise BadInputError(f"{name} is neither a file nor a link: remove it, or {_HOW}. Nothing was changed.")
        if seen.st_size > MOST_OF_A_FILE:
            raise BadInputError(
                f"{name} has {amount(seen.st_size)}, and a file of 'files' at most {amount(MOST_OF_A_FILE)}: {_HOW}. "
                "Nothing was changed."
            )
        try:
            path.decode("utf-8")
        except UnicodeDecodeError:
            raise BadInputError(
                f"The name of {name!r} is not UTF-8: rename it, or {_HOW}. Nothing was changed."
            ) from None
    size = sum(seen.st_size for _path, seen in names)
    if size > MOST_BYTES or len(names) > MOST_FILES:
        raise BadInputError(
            f"{top} holds {len(names)} files with {amount(size)}, and at most {MOST_FILES} files with "
            f"{amount(MOST_BYTES)} are sent (the largest places: {_largest(names)}): {_HOW}. Nothing was changed."
        )


def _largest(names: Sequence[tuple[bytes, os.stat_result]]) -> str:
    sizes: dict[str, int] = {}
    for path, seen in names:
        first = os.fsdecode(path).split("/", 1)
        place = f"{first[0]}/" if len(first) > 1 else first[0]
        sizes[place] = sizes.get(place, 0) + seen.st_size
    return ", ".join(f"{one} {amount(sizes[one])}" for one in sorted(sizes, key=lambda one: -sizes[one])[:_NAMED])


def _require_inside(top: str, path: bytes, target: bytes) -> None:
    """Refuse a link that leads out of the folder: on the host it would lead to whatever lies there."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith(b"/") or place == b".." or place.startswith(b"../"):
        raise BadInputError(
            f"The link {os.path.join(top, os.fsdecode(path))} leads out of the folder, to {os.fsdecode(target)}: put "
            f"the file itself there, or {_HOW}. Nothing was changed."
        )
