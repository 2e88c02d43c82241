# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease: one controller at a time changes an app, from its first step to its last. Private to juno.deploy.

C(lease.json) says who; the time of C(alive-<id>), touched by the holder's controller for as long as it runs, says
whether it still is there. When the controller ends it removes that file; when it is cut off, the file grows old. Nobody
has to remove a lease by hand.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _files, _journal, _lock, _orphan
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app import App

#: A heartbeat as old as this is that of a controller that was cut off; a live one beats every 5 s.
TTL_SECONDS = 30.0
#: A heartbeat that looks old or lies ahead may only mean that the clock was set; a live one moves within this time.
WATCH_SECONDS = 8.0
LOOK_AGAIN_SECONDS = 0.25
#: Without anybody who waits for the lease, a controller that was cut off has as long to come back.
SILENT_SECONDS = 90.0

#: The step that brings back what served before.
WAY_BACK = "the way back to the release before"
PURPOSES = {"deploy": "A deploy", "rollback": "A rollback", "restart": "A restart"}


@dataclasses.dataclass(frozen=True)
class Holder:
    """Who holds a lease: C(who) is user@controller, C(address) the controller's as this host sees it, if it does."""

    id: str
    who: str
    host: str
    address: str
    purpose: str
    since: str


@dataclasses.dataclass(frozen=True)
class Taken:
    """A lease that was taken; C(previous) is the dead one before it, C(orphan) what that one left running, if any."""

    holder: Holder
    previous: Holder | None = None
    orphan: str = ""


def claim(id: str, who: str, purpose: str, environment: t.Mapping[str, str]) -> Holder:  # noqa: A002
    """Say who wants the lease, from what the controller told and from the connection it came over."""
    address = environment.get("SSH_CONNECTION", "").partition(" ")[0]
    return Holder(id, who, who.rpartition("@")[2], address, purpose, _journal.now())


def alive_path(directory: str, id: str) -> str:  # noqa: A002
    """Give the file whose time is a lease's heartbeat."""
    return os.path.join(directory, f"alive-{id}")


def boot_order(directory: str) -> str:
    """Give the file that tells who tidies up after a reboot (C(_boot)), which is there while the lease is held."""
    return os.path.join(directory, "boot.json")


def _lease_path(directory: str) -> str:
    return os.path.join(directory, "lease.json")


def parse(text: str, path: str) -> Holder:
    """Read a lease.

    :raises JunoError: the file is no lease.
    """
    try:
        fields = json.loads(text)
        return Holder(**{field.name: str(fields[field.name]) for field in dataclasses.fields(Holder)})
    except (ValueError, KeyError, TypeError) as exc:
        raise JunoError(
            f"The lease {path} can't be read ({exc}): see that no deploy is at work and remove it."
        ) from exc


def read(directory: str) -> Holder | None:
    """Give who holds the lease, dead or alive.

    :raises JunoError: the file can't be read, or is no lease.
    """
    path = _lease_path(directory)
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read(), path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise JunoError(f"The lease {path} can't be read ({exc.strerror}): deploy as the user who owns it.") from exc


def _write(directory: str, holder: Holder) -> None:
    path = _lease_path(directory)
    try:
        # The heartbeat first: there must be no moment in which the lease looks dead.
        os.close(os.open(alive_path(directory, holder.id), os.O_WRONLY | os.O_CREAT, 0o640))
        _files.replace(path, json.dumps(dataclasses.asdict(holder), indent=1) + "\n")
    except OSError as exc:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(alive_path(directory, holder.id))
        raise JunoError(
            f"The lease {path} can't be written ({exc.strerror}): make room or give access. Nothing was changed."
        ) from exc


def beat(directory: str, holder: Holder) -> float | None:
    """Give the time of a lease's heartbeat by this host's clock; nothing when its controller has ended."""
    try:
        return os.stat(alive_path(directory, holder.id)).st_mtime
    except FileNotFoundError:
        return None


def quiet_needed(age_seconds: float) -> float:
    """Tell for how long a heartbeat of some age must not move before its lease counts as dead."""
    return max(WATCH_SECONDS, TTL_SECONDS - max(age_seconds, 0.0))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a lease's controller lives, and the last time of its heartbeat (nothing: it ended and said so)."""

    alive: bool
    at: float | None


def watch(look: Callable[[], float | None]) -> Verdict:
    """Wait until a heartbeat moves, or has not for so long that its controller is dead.

    Its age alone doesn't tell: clocks are set, and a controller that was cut off a moment ago looks like a live one.
    """
    first = look()
    if first is None:
        return Verdict(False, None)
    ends = time.monotonic() + quiet_needed(time.time() - first)
    pause = threading.Event()
    while time.monotonic() < ends:
        pause.wait(LOOK_AGAIN_SECONDS)
        now = look()
        if now != first:
            return Verdict(now is not None, now)
    return Verdict(False, first)


def refusal(app: str, holder: Holder) -> str:
    """Say who holds the lease, from where, since when, and what to do."""
    origin = f" (from {holder.address})" if holder.address else ""
    return (
        f"{PURPOSES.get(holder.purpose, 'A deploy')} of {app} by {holder.who}{origin} has been at work since "
        f"{holder.since} and is alive: let it end, then run this again. Nothing was changed."
    )


def take(directory: str, holder: Holder) -> Taken:
    """Take the lease; a live one is respected, a dead one taken over and what it left running ended.

    :raises JunoError: another controller holds it and is alive, or it can't be written.
    """
    while True:
        before = read(directory)
        if before and before.id == holder.id:
            return Taken(holder)
        verdict = watch(functools.partial(beat, directory, before)) if before else Verdict(False, None)
        if before and verdict.alive:
            raise JunoError(refusal(os.path.basename(directory), before), holder=dataclasses.asdict(before))
        with _changing(directory):
            # Another one may have taken it meanwhile, or this one's controller may be back.
            if read(directory) == before and (before is None or beat(directory, before) == verdict.at):
                _write(directory, holder)
                _remove_beats(directory, but=holder.id)
                break
    return Taken(holder, before, _end_orphan(directory, holder) if before else "")


def _changing(directory: str) -> contextlib.AbstractContextManager[None]:
    return _lock.held(directory, "a change of the lease", name="lease.lock")


def _remove_beats(directory: str, *, but: str) -> None:
    for name in os.listdir(directory):
        if name.startswith("alive-") and name != f"alive-{but}":
            os.unlink(os.path.join(directory, name))


def _end_orphan(directory: str, holder: Holder) -> str:
    try:
        return _orphan.end(directory)
    except JunoError:
        # Our lease counts as dead then, so that the next deploy takes it over and tries again.
        os.unlink(alive_path(directory, holder.id))
        raise


def give_back(directory: str, id: str) -> bool:  # noqa: A002
    """Give a lease back; tell whether it was still ours (another's is left alone)."""
    if not os.path.isdir(directory):
        return False
    with _changing(directory):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(alive_path(directory, id))
        now = read(directory)
        if now is None or now.id != id:
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(boot_order(directory))
        os.unlink(_lease_path(directory))
    return True


def is_held(directory: str, id: str) -> bool:  # noqa: A002
    """Say whether a lease's controller has given a sign of life, if not lately."""
    try:
        return time.time() - os.stat(alive_path(directory, id)).st_mtime <= SILENT_SECONDS
    except FileNotFoundError:
        return False


def is_abandoned(directory: str, id: str) -> bool:  # noqa: A002
    """Say whether a lease is held still, though its controller has ended, or has long given no sign of life."""
    if not os.path.isdir(directory):
        return False
    with _changing(directory):
        now = read(directory)
        if now is None or now.id != id:
            return False
        at = beat(directory, now)
    return at is None or time.time() - at > SILENT_SECONDS


def require(app: App) -> None:
    """See that the lease a module works under is still the one that is held.

    :raises JunoError: it was lost.
    """
    now = read(app.state_directory) if app.lease else None
    if app.lease and (now is None or now.id != app.lease):
        by = f"{now.who} has taken it over since {now.since}" if now else "it was given back"
        raise JunoError(
            f"This run lost the lease of {app.project} ({by}), as its controller was cut off from this host for too "
            "long: this step was not done; see playbooks/status.yml, then deploy again."
        )


@contextlib.contextmanager
def step(app: App, what: str) -> Iterator[None]:
    """Hold the app's lock while C(what) is done, under a lease that is still ours if the module was given one.

    :raises JunoError: another process holds the lock, or the lease was lost.
    """
    with _lock.held(app.state_directory, what):
        # Not before: an orphan that waits for the lock would change things under the next one's lease.
        require(app)
        yield


def standing(directory: str) -> dict[str, t.Any]:
    """Give who holds the lease, whether its controller gave a sign of life lately, and how long ago; or nothing."""
    holder = read(directory)
    if holder is None:
        return {}
    at = beat(directory, holder)
    age = None if at is None else round(max(0.0, time.time() - at), 1)
    return {**dataclasses.asdict(holder), "alive": age is not None and age < TTL_SECONDS, "beat_age_seconds": age}
