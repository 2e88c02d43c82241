# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a directory is, where root works for another user. Private to juno.deploy: no stable interface.

What root writes into a person's checkout would be root's, and that person's next C(git pull) would fail. So git runs
there as the owner, and a file that we write belongs to the owner of the directory that it is written below.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pwd
import stat
import typing as t

ENTER, WRITE = 1, 2
#: For a user that only has a number.
NO_HOME = "/nonexistent"


@dataclasses.dataclass(frozen=True)
class Owner:
    """A user who is not root, with the groups of a login."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    name: str
    home: str

    def may(self, seen: os.stat_result, wanted: int) -> bool:
        """Return whether the mode of a file or directory lets the owner do something; an access list isn't asked."""
        shift = 6 if seen.st_uid == self.uid else 3 if seen.st_gid in self.groups else 0
        return stat.S_IMODE(seen.st_mode) >> shift & wanted == wanted

    def may_enter(self, path: str) -> bool:
        """Return whether each folder on the way to a directory may be passed, and the directory itself, where it is."""
        ways = {os.path.abspath(path), os.path.realpath(path)}
        folders = {"/".join(way.split("/")[:count]) or "/" for way in ways for count in range(1, way.count("/") + 2)}
        return all(self.may(os.stat(folder), ENTER) for folder in folders if os.path.exists(folder))

    def command(self) -> list[str]:
        """Return the words before a command by which it runs as the owner.

        C(subprocess) could do so itself, by a copy of our whole process for each command, which takes longer than git.
        """
        groups = ",".join(map(str, self.groups))
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", f"--groups={groups}", "--"]

    def environment(self, around: t.Mapping[str, str]) -> dict[str, str]:
        """Return an environment of root's as the owner's: the owner's configuration, keys and known hosts are meant."""
        kept = {key: value for key, value in around.items() if not key.startswith(("XDG_", "SUDO_"))}
        return {**kept, "HOME": self.home, "USER": self.name, "LOGNAME": self.name}


@functools.lru_cache
def look_up(uid: int, gid: int) -> Owner:
    """Return a user by number; one that has no name keeps the group C(gid)."""
    try:
        known = pwd.getpwuid(uid)
    except KeyError:
        return Owner(uid, gid, (gid,), str(uid), NO_HOME)
    groups = tuple(os.getgrouplist(known.pw_name, known.pw_gid))
    return Owner(uid, known.pw_gid, groups, known.pw_name, known.pw_dir)


def of(path: str) -> Owner | None:
    """Return the user for whom root works in a directory; nothing where that is root, or where we are not.

    A checkout is that user's only if git's own folder is, too: else somebody has kept it from them on purpose.
    """
    if os.geteuid():
        return None
    try:
        seen = os.stat(path)
        with contextlib.suppress(FileNotFoundError):
            if os.lstat(os.path.join(path, ".git")).st_uid != seen.st_uid:
                return None
    except OSError:
        return None
    return look_up(seen.st_uid, seen.st_gid) if seen.st_uid else None


def hand_over(handle: int, top: str) -> None:
    """Let what we have just made below a directory belong to whom that does."""
    owner = of(top)
    if owner:
        # In a folder that shares its group, that has been set already.
        os.fchown(handle, owner.uid, -1 if os.fstat(handle).st_gid else owner.gid)


def give(handle: int, owner: Owner) -> bool:
    """Let the owner have an opened file or folder that root has left in a checkout; return whether that was needed.

    A file with a second name may be any file of the host's, for which somebody has put a link there.
    """
    seen = os.fstat(handle)
    plain = stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1 and not seen.st_mode & (stat.S_ISUID | stat.S_ISGID)
    if seen.st_uid or not (plain or stat.S_ISDIR(seen.st_mode)):
        return False
    os.fchown(handle, owner.uid, -1 if seen.st_gid else owner.gid)
    return True
