# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a purge of bytecode starts, and what it refuses. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: A directory is opened as what it is: a symbolic link in its place is an error, not a way out of the tree.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_LIBRARIES = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_TOP = ("boot", "dev", "etc", "home", "media", "mnt", "opt", "proc", "root", "run", "snap", "srv", "sys", "tmp")
_USR = ("local", "local/bin", "local/lib", "share", "src")
_VAR = ("cache", "lib", "lib/docker", "log", "tmp")
#: Directories of the system. No app lives in one itself, though it may live below.
SYSTEM = frozenset(
    ["/"]
    + [f"/{name}" for name in (*_TOP, *_LIBRARIES, "usr", "var")]
    + [f"/dev/{name}" for name in ("pts", "shm")]
    + [f"/usr/{name}" for name in _USR + _LIBRARIES]
    + [f"/var/{name}" for name in _VAR]
)
#: File systems of the kernel: nothing below is a file.
KERNEL = ("/proc", "/sys")

Identity = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Root:
    """An open directory in which a walk begins."""

    path: str
    resolved: str
    fd: int
    identity: Identity
    #: Mount points below it, also those of a bind mount, which has the same device number as its surroundings.
    mounts: frozenset[str] = frozenset()
    #: Where the sources are, for a tree that holds bytecode only and has no caches.
    sources: str = ""


def identity(info: os.stat_result) -> Identity:
    """Return what makes two names the same directory."""
    return info.st_dev, info.st_ino


def printable(path: str, longest: int = 1000) -> str:
    """Return a path as text that any JSON reader and terminal takes: odd bytes escaped, a long one's middle cut."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} ... {text[-half:]}"


def parse_mountinfo(text: str) -> list[str]:
    """Return the mount points in C(/proc/self/mountinfo), whose fifth field escapes blanks as octal numbers."""
    points = [line.split(" ")[4] for line in text.split("\n") if line.count(" ") >= 5]
    return [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point) for point in points]


def mounted(mountinfo: str = "/proc/self/mountinfo") -> list[str]:
    """Return the mount points that this process sees; none where the system has no such list."""
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape", newline="\n") as listing:
            return parse_mountinfo(listing.read())
    except FileNotFoundError:
        return []


def refuse_system(path: str, resolved: str, *, is_slash: bool) -> None:
    """Refuse a directory of the system. Links and C(..) are resolved by now; a bind mount of V(/) has its identity.

    :raises BadInputError: it is one.
    """
    if is_slash or resolved in SYSTEM:
        raise BadInputError(
            f"The path {printable(path)} is a directory of the system ({'/' if is_slash else resolved}), where no app "
            "lives: name the app's own directory below it."
        )
    if any(resolved.startswith(name + "/") for name in KERNEL):
        raise BadInputError(
            f"The path {printable(path)} belongs to the kernel, not to an app: name the app's own directory."
        )


def open_root(path: str, mounts: Iterable[str] = (), sources: str = "") -> Root:
    """Open the directory in which a walk begins. A symbolic link that a person names is resolved here, once.

    :raises BadInputError: it is relative, missing, no directory, or one of the system's own.
    """
    shown = printable(path)
    if not path.startswith("/") or "\0" in path:
        raise BadInputError(f"The path '{shown}' is not absolute: give the whole path of the app's directory.")
    try:
        resolved = os.path.realpath(path, strict=True)
        fd = os.open(resolved, DIRECTORY)
    except FileNotFoundError as exc:
        raise BadInputError(f"The path {shown} does not exist on this host: name the app's directory.") from exc
    except NotADirectoryError as exc:
        raise BadInputError(f"The path {shown} is not a directory: name the directory that holds it.") from exc
    except OSError as exc:
        raise BadInputError(
            f"The path {shown} can't be opened ({exc.strerror}): run as a user who may read it, or correct the path."
        ) from exc
    found = identity(os.fstat(fd))
    try:
        refuse_system(path, resolved, is_slash=found == identity(os.stat("/")))
    except BadInputError:
        os.close(fd)
        raise
    below = frozenset(point for point in mounts if point.startswith(resolved + "/"))
    return Root(path=path, resolved=resolved, fd=fd, identity=found, mounts=below, sources=sources)
