# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release a rollback goes to, and what stands in its way: from data to data. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Migration, Schema

if t.TYPE_CHECKING:
    from collections.abc import Iterable


def good(entries: list[journal.Entry]) -> list[journal.Entry]:
    """Return the releases that went well, oldest first."""
    return [entry for entry in entries if entry.outcome == "done" and entry.commit]


def choose(entries: list[journal.Entry], wanted: int, pulled: Iterable[str] = ()) -> journal.Entry:
    """Return the release to go back to: the one with a number, or (0) the newest good one with other code.

    The latter is never one that was rolled back from, so that two rollbacks lead further back than one.

    :param pulled: services whose images aren't built from the commit, so that one of it may have had another one.
    :raises BadInputError: there is none, it was never complete, or it serves already.
    """
    well = good(entries)
    names = ", ".join(str(entry.number) for entry in well[:-6:-1]) or "none"
    if not well:
        raise BadInputError(
            "No release of this app went well on this host yet, so there is none to go back to: deploy."
        )
    serving = well[-1]
    if not wanted:
        return _choose_before(well, pulled)
    entry = next((entry for entry in entries if entry.number == wanted), None)
    if entry is None:
        raise BadInputError(f"There is no release {wanted} in the journal; good ones are: {names}.")
    if entry not in well:
        raise BadInputError(
            f"Release {wanted} was never complete ({entry.outcome}), so nobody can go back to it; "
            f"good ones are: {names}."
        )
    if entry is serving:
        others = ", ".join(str(entry.number) for entry in well[-2:-7:-1]) or "none"
        raise BadInputError(f"Release {wanted} serves already; others are: {others}.")
    return entry


def _choose_before(well: list[journal.Entry], pulled: Iterable[str]) -> journal.Entry:
    """Return the newest good release with other code than what serves that was not rolled back from.

    :raises BadInputError: there is none.
    """
    serving, left = well[-1], rolled_back_from(well, pulled)
    other = [entry for entry in reversed(well) if _has_other_code(entry, serving, pulled)]
    found = next((entry for entry in other if entry.number not in left), None)
    if found is None and not other:
        raise BadInputError(
            f"Release {serving.number} is of the only commit that was ever released here: there is none to go back to."
        )
    if found is None:
        names = ", ".join(str(entry.number) for entry in other[:5])
        raise BadInputError(
            f"There is no older release to go back to: all with other code than release {serving.number} were rolled "
            f"back from ({names}). To go to one of them nevertheless, name it ('release')."
        )
    return found


def rolled_back_from(well: list[journal.Entry], pulled: Iterable[str] = ()) -> set[int]:
    """Return the numbers of the releases that rollbacks have left: all that came after the one each went to.

    :param well: the releases that went well, oldest first.
    """
    left = set[int]()
    for place, entry in enumerate(well):
        if entry.purpose == "rollback":
            for one in reversed(well[:place]):
                if not _has_other_code(one, entry, pulled):
                    break  # it went there
                left.add(one.number)
    return left


def _has_other_code(entry: journal.Entry, serving: journal.Entry, pulled: Iterable[str]) -> bool:
    images = [(entry.images.get(name), serving.images.get(name)) for name in pulled]
    return entry.commit != serving.commit or any(old and new and old != new for old, new in images)


def state_after(entry: journal.Entry) -> list[str]:
    """Name the migrations that stood once a release served, each "app.name", the first applied first."""
    return [*entry.schema.applied, *(_label(one) for one in entry.schema.pending)]


def carried(entries: list[journal.Entry], reversed_: list[Migration]) -> Schema:
    """Return the migrations that stand while a release without a build (a rollback, a restart) is at work."""
    well, gone = good(entries), {_label(one) for one in reversed_}
    state = state_after(well[-1]) if well else []
    return Schema([name for name in state if name not in gone])


def _label(one: Migration) -> str:
    return f"{one['app']}.{one['name']}"


def between(entries: list[journal.Entry], target: journal.Entry) -> list[Migration]:
    """Return the migrations that stand now and didn't when the target was released, as far as the journal knows."""
    well = good(entries)
    then, now = set(state_after(target)), set(state_after(well[-1]))
    if not then or not now:
        return []
    # Also those of a release that failed: what is irreversible stands.
    later = [one for entry in entries if entry.number > target.number for one in entry.schema.pending]
    found = {_label(one): one for one in later if _label(one) in now - then}
    return list(found.values())


def way_to(state: list[str], migrations: list[Migration]) -> dict[str, str]:
    """Return, for each app of some migrations, the last one of a state: where it has to be taken back to."""
    to = {}
    for app in {one["app"] for one in migrations}:
        there = [name.partition(".")[2] for name in state if name.partition(".")[0] == app]
        to[app] = there[-1] if there else ""
    return to


def losses(migrations: list[Migration]) -> list[str]:
    """Name the migrations that lose data when they are reversed, each with what."""
    return [f"{_label(one)} ({', '.join(one['lossy'])})" for one in migrations if one.get("lossy")]


def demands(migrations: list[Migration]) -> list[str]:
    """Name the columns that migrations have added and code from before can't fill."""
    return [name for one in migrations for name in one.get("demands") or []]


def require_reversible(migrations: list[Migration], target: journal.Entry) -> None:
    """Make sure that each migration can be reversed.

    :raises BadInputError: one can't; the message names all of them.
    """
    stuck = [_label(one) for one in migrations if not one.get("reversible")]
    if stuck:
        raise BadInputError(
            f"Release {target.number} can't be gone back to, since migrations that can't be reversed came after it: "
            f"{', '.join(stuck)}; nothing was changed: correct what is wrong by a new commit and deploy that.",
            irreversible=stuck,
        )


def writes_fail(columns: list[str]) -> list[str]:
    """Return where the release that serves can't add rows while the migrations of the next one are applied already."""
    if not columns:
        return []
    named = ", ".join(columns)
    line = (
        f"From the migrations to the switch the release that serves can't add rows: it doesn't know {named}, which "
        "must not be null and whose default is Django's, not the table's. Let the column be null at first, or give it "
        "db_default (Django 5), or show the maintenance page meanwhile."
    )
    return [line]
