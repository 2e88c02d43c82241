# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the app's settings how its database is reached. Private to juno.deploy: no stable interface.

Only the app's settings have the password, so the app's Python, in a throwaway container, writes it into a file with
mode 0600 in a directory below the state root, which is removed as soon as it was read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import stat
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: For the app to tell how its database is reached.
ASK_SECONDS = 60
#: Where the app's Python writes.
DIRECTORY = "/juno/connection"
NAME = "connection.json"
MAX_BYTES = 64 * 1024


@dataclasses.dataclass(frozen=True)
class Connection:
    """How the app reaches its database."""

    vendor: str
    name: str
    user: str
    password: str = dataclasses.field(repr=False)
    host: str
    port: str = ""
    #: The address that the host's name has for the app.
    address: str = ""
    socket: str = ""
    tls: dict[str, str] = dataclasses.field(default_factory=dict)
    #: The programs that the app's image has.
    programs: tuple[str, ...] = ()
    bytes: int = 0
    version: str = ""
    #: Why it doesn't answer, if so.
    why: str = ""

    @property
    def words(self) -> str:
        """The database, for messages."""
        return f"{self.name} ({self.vendor} at {self.host or self.socket or 'its socket'})"


def hide(text: str, secret: str) -> str:
    """Take a password out of a text."""
    return text.replace(secret, "********") if secret else text


def read(run: Runner, app: App, place: throwaway.Sandbox, mounts: list[dict[str, str]]) -> Connection:
    """Ask the app's settings how the database is reached.

    :raises JunoError: they don't tell; nothing was changed.
    """
    events.tell("asks the app how its database is reached")
    with written(run, app, place, mounts, copy_seconds=0) as path:
        return parse(_read_bytes(path))


@contextlib.contextmanager
def written(
    run: Runner, app: App, place: throwaway.Sandbox, mounts: list[dict[str, str]], *, copy_seconds: float
) -> Iterator[str]:
    """Have the app's Python write how its database is reached (or a copy of it), and return the file for a while.

    :raises JunoError: it doesn't; nothing was changed.
    """
    os.makedirs(app.build_root, mode=0o750, exist_ok=True)
    # Where a later run sweeps. Nobody passes the outer one; the app's user, whoever that is, writes into the inner one.
    outer = tempfile.mkdtemp(prefix="connection-", dir=app.build_root)
    try:
        inner = os.path.join(outer, "in")
        os.mkdir(inner)
        os.chmod(inner, 0o777)  # noqa: S103 - only root gets as far as this
        answer = throwaway.ask(
            run,
            app,
            place,
            timeout_seconds=ASK_SECONDS + copy_seconds,
            volumes=(f"{inner}:{DIRECTORY}",),
            mode="connect",
            mounts=mounts,
            copy_seconds=copy_seconds,
            secret_path=f"{DIRECTORY}/{NAME}",
        )
        rc = (answer.results.get("connected") or {"rc": 127})["rc"]
        if rc:
            failure = answer.results.get("failure:start") or answer.results.get("not_looked") or {}
            raise JunoError(
                f"The code of {place.commit[:12]} does not give its database, so that can't be copied before its "
                f"migrations ({throwaway.reason(rc, failure)}); nothing was migrated and the old release serves: "
                "correct the cause, or set 'migrate.backup' to never, and deploy again."
            )
        yield os.path.join(inner, NAME)
    finally:
        shutil.rmtree(outer)


def opened(path: str) -> t.IO[bytes]:
    """Open what a container wrote: a file and no link.

    :raises OSError: it is something else.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    seen = os.fstat(handle)
    if not stat.S_ISREG(seen.st_mode) or seen.st_nlink != 1:
        os.close(handle)
        raise OSError(f"{path} is no file of its own")
    return open(handle, "rb")


def _read_bytes(path: str) -> bytes:
    """Read what a container wrote, and no more than it can be.

    :raises JunoError: it is something else.
    """
    try:
        with opened(path) as file:
            return file.read(MAX_BYTES)
    except OSError as exc:
        raise JunoError(f"What the app tells of its database can't be read ({exc}): deploy again.") from exc


def parse(raw: bytes) -> Connection:
    """Read what the app's Python wrote.

    :raises JunoError: it is something else.
    """
    known = {field.name for field in dataclasses.fields(Connection)}
    try:
        fields = {key: value for key, value in json.loads(raw).items() if key in known}
        return Connection(**{**fields, "programs": tuple(fields["programs"])})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        what = type(exc).__name__  # its words may have the password
        raise JunoError(f"What the app tells of its database can't be read ({what}): deploy again.") from None
