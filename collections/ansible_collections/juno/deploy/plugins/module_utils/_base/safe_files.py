# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files below a directory that a container can write to. Private to juno.deploy: no stable interface.

The app's checkout and its volumes are mounted into containers, so their code may put a link, a pipe or a folder
wherever we look next. Each name is opened relative to the descriptor of the folder above it, and no link is followed:
what is read, written and removed is below the directory that a person named, or it is an OSError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner

if t.TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A pipe that nobody writes to would hold us up for ever.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: No file that is read whole is larger, unless somebody means harm.
MOST_BYTES = 64 * 1024 * 1024
#: Each level holds a descriptor.
MOST_LEVELS = 100


def parts(name: str) -> list[str]:
    """Split a name below a directory.

    :raises OSError: it is absolute, or leads out of the directory.
    """
    found = name.split("/")
    if any(one in ("", ".", "..") or "\0" in one for one in found):
        raise OSError(errno.EINVAL, "not a name below its directory", name)
    return found


def open_at(name: str, flags: int, folder: int, mode: int = 0o777) -> int:
    try:
        return os.open(name, flags, mode, dir_fd=folder)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENOTDIR):
            kind = stat.S_IFMT(os.lstat(name, dir_fd=folder).st_mode)
            if kind == stat.S_IFLNK:
                raise OSError(errno.ELOOP, "a symbolic link is in its place, which is not followed", name) from exc
        raise


@contextlib.contextmanager
def directory(top: str, name: str = "", *, make: bool = False, mode: int = 0o755) -> Iterator[int]:
    """Open a folder below C(top), which is trusted itself; with C(make) missing ones are made, and are its owner's."""
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for one in parts(name) if name else ():
            made = make and _made(one, mode, folder)
            below = open_at(one, DIRECTORY, folder)
            os.close(folder)
            folder = below
            if made and os.fstat(folder).st_uid == os.geteuid():
                base_owner.hand_over(folder, top)
        yield folder
    finally:
        os.close(folder)


def _made(name: str, mode: int, folder: int) -> bool:
    """Make a folder; return whether it was not there."""
    try:
        os.mkdir(name, mode, dir_fd=folder)
    except FileExistsError:
        return False
    return True


@contextlib.contextmanager
def opened(top: str, name: str) -> Iterator[t.BinaryIO]:
    """Open a regular file below C(top) to read it."""
    with directory(top, os.path.dirname(name)) as folder:
        handle = open_at(parts(name)[-1], FILE, folder)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        yield file


def read(top: str, name: str) -> bytes:
    """Return the content of a regular file below C(top)."""
    with opened(top, name) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, "larger than any such file", name)
        return file.read(MOST_BYTES)


def exists(top: str, name: str) -> bool:
    """Return whether something has this name, be it a link that leads nowhere; also where a link is above it."""
    try:
        with directory(top, os.path.dirname(name)) as folder:
            os.lstat(parts(name)[-1], dir_fd=folder)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def write(
    top: str, name: str, content: bytes | t.BinaryIO, mode: int = 0o644, *, like: os.stat_result | None = None
) -> None:
    """Put a file in the place of what has the name, whole or not at all; the folders above it are made.

    It belongs to the owner of C(top).

    :param like: whose times the file gets.
    :raises OSError: it can't be written; what was there is as it was.
    """
    with directory(top, os.path.dirname(name), make=True) as folder:
        last = parts(name)[-1]
        beside = f".juno-{uuid.uuid4().hex}"
        handle = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        try:
            with open(handle, "wb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    shutil.copyfileobj(content, file)
                file.flush()
                base_owner.hand_over(handle, top)
                os.fchmod(handle, mode)
                if like is not None:
                    os.utime(handle, ns=(like.st_atime_ns, like.st_mtime_ns))
            os.rename(beside, last, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(beside, dir_fd=folder)
            raise


def copy(top: str, name: str, to: str, *, times: bool = True) -> None:
    """Copy a regular file to the same name below another directory, with its mode and, unless told otherwise, times."""
    with opened(top, name) as source:
        seen = os.fstat(source.fileno())
        write(to, name, source, stat.S_IMODE(seen.st_mode) & 0o777, like=seen if times else None)


def remove(top: str, name: str) -> None:
    """Take a name away, if it is there; of a link, the link."""
    with contextlib.suppress(FileNotFoundError), directory(top, os.path.dirname(name)) as folder:
        os.unlink(parts(name)[-1], dir_fd=folder)


def remove_with_folders(top: str, name: str) -> None:
    """Do so, and take away the folders that are empty then."""
    remove(top, name)
    above = os.path.dirname(name)
    with contextlib.suppress(OSError):
        while above:
            with directory(top, os.path.dirname(above)) as folder:
                os.rmdir(parts(above)[-1], dir_fd=folder)
            above = os.path.dirname(above)


def remove_tree(top: str, name: str) -> None:
    """Take a folder away with all that is in it."""
    with directory(top, os.path.dirname(name)) as folder:
        _remove_tree(folder, parts(name)[-1], MOST_LEVELS)


def _remove_tree(above: int, name: str, levels: int) -> None:
    if not levels:
        raise OSError(errno.ENAMETOOLONG, "folders more than 100 deep", name)
    folder = open_at(name, DIRECTORY, above)
    try:
        for one in os.listdir(folder):
            if stat.S_ISDIR(os.lstat(one, dir_fd=folder).st_mode):
                _remove_tree(folder, one, levels - 1)
            else:
                os.unlink(one, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=above)


def walk(top: str, name: str = "", skip: str = "") -> dict[str, os.stat_result]:
    """Return all that is no folder below a folder, by its name from there; a link is told as a link, and not followed.

    :param skip: how names begin that are left out.
    """
    found: dict[str, os.stat_result] = {}
    with directory(top, name) as folder:
        _walk(folder, "", skip, found)
    return found


def _walk(folder: int, inside: str, skip: str, found: dict[str, os.stat_result]) -> None:
    if inside.count("/") > MOST_LEVELS:
        raise OSError(errno.ENAMETOOLONG, "folders more than 100 deep", inside)
    # What is removed while we look is not there.
    for name in sorted(os.listdir(folder)):
        if skip and name.startswith(skip):
            continue
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            seen = os.lstat(name, dir_fd=folder)
            if not stat.S_ISDIR(seen.st_mode):
                found[inside + name] = seen
                continue
            below = os.open(name, DIRECTORY, dir_fd=folder)
            try:
                _walk(below, f"{inside}{name}/", skip, found)
            finally:
                os.close(below)
