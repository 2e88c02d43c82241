# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: bring staged files into a static root that serves.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Facts behind it: WhiteNoise lists the root when a worker starts, and the worker dies on a name that goes while it does.
So a new name appears once its file is whole, and stays: by a rename from the same file system, else as a nameless file
(O_TMPFILE) that is then linked. Only what replaces a file from another file system has another name for a moment.
"""

import contextlib
import os
import shutil
import stat
import typing as t
import uuid

#: How all our own names in a static root begin: they are no static files.
OURS = ".juno"
#: What is put behind a name for the compressed file.
COMPRESSED = (".gz", ".br", ".zst")
CHUNK = 1 << 20


def walk(root: str) -> "dict[str, os.stat_result]":
    """Return all files below a folder by name, links to files as themselves; ours are left out."""
    found: dict[str, os.stat_result] = {}
    folders, linked = [""], {os.path.realpath(root)}
    while folders:
        inside = folders.pop()
        # What an app removes while we look is not there.
        with contextlib.suppress(FileNotFoundError), os.scandir(os.path.join(root, inside)) as entries:
            for entry in entries:
                name = inside + entry.name
                if entry.name.startswith(OURS):
                    continue
                if entry.is_dir():
                    target = os.path.realpath(entry.path) if entry.is_symlink() else ""
                    if target not in linked:
                        folders.append(name + "/")
                        linked |= {target} if target else set()
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found[name] = entry.stat(follow_symlinks=False)
    return found


def plain(name: str) -> str:
    """Return the name without the ending of a compressed file."""
    stem, ending = os.path.splitext(name)
    return stem if ending in COMPRESSED else name


def same(one: str, other: str, seen: "os.stat_result", also: "os.stat_result") -> bool:
    """Return whether two files have the same content, or two links the same target."""
    if stat.S_ISLNK(seen.st_mode) or stat.S_ISLNK(also.st_mode):
        both = stat.S_ISLNK(seen.st_mode) and stat.S_ISLNK(also.st_mode)
        return both and os.readlink(one) == os.readlink(other)
    if seen.st_size != also.st_size:
        return False
    with open(one, "rb", buffering=0) as left, open(other, "rb", buffering=0) as right:
        while True:
            chunk = left.read(CHUNK)
            if chunk != right.read(CHUNK):
                return False
            if not chunk:
                return True


class Move:
    """Brings files from a staging folder into the root, and can take all of it back."""

    def __init__(self, tree: str, kept: str, root: str) -> None:
        """Say where the files are, where replaced ones may be kept, and where to."""
        self.tree, self.kept, self.root = tree, kept, root
        self.undone: list[t.Callable[[], None]] = []
        self.folders: set[str] = set()

    def new(self, name: str) -> None:
        """Bring in a name that the root lacks."""
        target = os.path.join(self.root, name)
        self._folder(os.path.dirname(name))
        self._bring(os.path.join(self.tree, name), target, exists=False)
        self.undone.append(lambda: os.unlink(target))

    def replace(self, name: str) -> None:
        """Put a file in the place of one that is there."""
        target, kept = os.path.join(self.root, name), os.path.join(self.kept, str(len(self.undone)))
        try:
            os.link(target, kept, follow_symlinks=False)
        except OSError:  # another file system
            shutil.copy2(target, kept, follow_symlinks=False)
        self._bring(os.path.join(self.tree, name), target, exists=True)
        self.undone.append(lambda: self._bring(kept, target, exists=True))

    def remove(self, name: str) -> None:
        """Take a name away, and folders that are empty then; this is not undone."""
        path = os.path.join(self.root, name)
        if os.path.realpath(os.path.dirname(path)) != os.path.normpath(os.path.dirname(path)):
            return  # a link leads there, and what is behind it is somebody else's
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with contextlib.suppress(OSError):
            while os.path.dirname(path) != self.root:
                path = os.path.dirname(path)
                os.rmdir(path)

    def undo(self) -> None:
        """Make the root what it was, as far as it can be done."""
        while self.undone:
            with contextlib.suppress(OSError):
                self.undone.pop()()

    def _folder(self, name: str) -> None:
        if name in self.folders:
            return
        target = os.path.join(self.root, name) if name else self.root
        if name:
            self._folder(os.path.dirname(name))
        if not os.path.isdir(target):
            os.makedirs(target)
            self.undone.append(lambda: os.rmdir(target))
            mode = stat.S_IMODE(os.stat(os.path.join(self.tree, name)).st_mode)
            os.chmod(target, mode | (os.stat(target).st_mode & stat.S_ISGID))
        self.folders.add(name)

    def _bring(self, source: str, target: str, exists: bool) -> None:
        try:
            os.rename(source, target)
        except OSError as exc:
            if isinstance(exc, (IsADirectoryError, NotADirectoryError)):
                raise
            carry(source, target, exists)


def carry(source: str, target: str, exists: bool) -> None:
    """Bring a file to another file system; it gets its name when all of it is there."""
    aside = os.path.join(os.path.dirname(target), f"{OURS}-part-{uuid.uuid4().hex}")
    if os.path.islink(source):
        os.symlink(os.readlink(source), aside if exists else target)
    elif not nameless(source, aside if exists else target):
        exists = True
        try:
            shutil.copy2(source, aside)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise
    if exists:
        try:
            os.rename(aside, target)
        except OSError:
            os.unlink(aside)
            raise


def nameless(source: str, target: str) -> bool:
    """Write a file that has no name yet and then give it one; False where the file system can't."""
    try:
        file = os.open(os.path.dirname(target), os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except (AttributeError, OSError):
        return False
    try:
        with open(source, "rb") as given, os.fdopen(file, "wb", closefd=False) as written:
            shutil.copyfileobj(given, written, CHUNK)
        seen = os.stat(source)
        os.fchmod(file, stat.S_IMODE(seen.st_mode))
        os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        try:
            # Without a folder's descriptor, Python calls link(), which takes the link in /proc for what is meant.
            os.link(f"/proc/self/fd/{file}", target, src_dir_fd=file, follow_symlinks=True)
        except OSError:
            return False
    finally:
        os.close(file)
    return True
