# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a database back to what it was before a release that did not end well. Private to juno.deploy.

Taken back is what this run itself applied, and nothing by which data would be lost: a migration that is reversed brings
back the schema only. Of a file the copy from before is put back, as long as nothing was written since.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.text import docs_page
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway, throwaway_override
from ansible_collections.juno.deploy.plugins.module_utils._database import applied, database_file, migration_messages
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._state import journal

SECONDS = 600
LOCK_SECONDS = 5


@dataclasses.dataclass
class RestoreOutcome:
    """How the database stands after the undo."""

    #: This run's migrations that stand, in their order.
    standing: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: The copy that was put back.
    put_back: str = ""
    #: Why a copy was not put back.
    not_put_back: str = ""
    #: What the code from before can't read, if it was asked.
    unread: list[str] = dataclasses.field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of the migrations that stand."""
        return migration_messages.labels(self.standing)


class Restore:
    """The undo of one release's migrations."""

    def __init__(self, run: Runner, app: App, entry: journal.Entry) -> None:
        """Look at what was noted."""
        self.run, self.app, self.entry = run, app, entry
        self.record = applied.read(app) if entry.migrating else applied.Record()

    @property
    def is_free(self) -> bool:
        """Whether nothing that this run began loses data, or is irreversible."""
        return all(one["reversible"] and not one["lossy"] for one in self.record.begun) or self._was_empty_file

    @property
    def _was_empty_file(self) -> bool:
        return not self.record.found.get("applied", ["?"]) and bool(self.record.found.get("file"))

    def go(self) -> RestoreOutcome:
        """Reverse what this run applied, or put back the copy; return what stands.

        :raises JunoError: the database can't be reached, or a migration fails as it is reversed.
        """
        if not self.record.begun:
            return RestoreOutcome()
        copy = (self.entry.backups or [{}])[0]
        # A copy of a file in a volume is put back by a person: docs/backups.md.
        restorable = not self.is_free and copy.get("kind") == "file" and bool(self.record.found.get("file"))
        answer = self._ask(dry=restorable)
        standing = answer["standing"]["migrations"]
        outcome = RestoreOutcome()
        if restorable and standing:
            events.tell(f"puts the copy of the database back: {copy['path']}")
            outcome.not_put_back = database_file.put_back(copy["database"], copy["path"], self.record.content)
            if not outcome.not_put_back:
                outcome.put_back = copy["path"]
                return outcome
            answer = self._ask(dry=False)
        gone = migration_messages.labels(answer["undone_migrations"]["migrations"])
        outcome.standing = [one for one in standing if migration_messages.labels([one])[0] not in gone]
        return outcome

    def _ask(self, *, dry: bool) -> dict[str, t.Any]:
        entry, commit = self.entry, self.entry.commit
        session = entry.migrating.session if entry.migrating else ""
        answer = self._ask_code(
            commit,
            entry.built,
            more_seconds=SECONDS,
            mode="undo",
            dry=dry,
            own=list(self.record.begun),
            found=self.record.found,
            session=applied.new_session(),
            dead_sessions=[session] if session else [],
            lock_seconds=LOCK_SECONDS,
        )
        rc = (answer.results.get("reversed") or {}).get("rc", 1)
        if rc:
            failure = migration_messages.failure_of(answer.results, "reverse")
            raise answer.result.error(
                f"The migrations that release {entry.number} applied can't be taken back with the code of "
                f"{commit[:12]} ({throwaway.reason(rc, failure)}): correct the cause and deploy again.",
                rc,
            )
        return answer.results

    def unread_before(self, outcome: RestoreOutcome) -> list[str]:
        """Return what the code from before can't read while migrations stand; nothing where it can live with them."""
        before = self.entry.before
        if not outcome.standing or not before or not before.images:
            return []
        apps = sorted({one["app"] for one in outcome.standing})
        try:
            answer = self._ask_code(before.commit, before.images, mode="fits", apps=apps)
        except JunoError:
            return []  # it can't be asked, so what served before is brought back, as ever
        return list((answer.results.get("unread") or {}).get("models") or [])

    def _ask_code(self, commit: str, images: dict[str, str], **question: t.Any) -> throwaway.SandboxResult:
        """Ask the code of a commit, in a throwaway container of its images."""
        events.tell(f"asks the code of {commit[:7]} about the database")
        with throwaway.opened(self.run, self.app, commit) as place:
            mounts = throwaway_override.prepare(self.run, self.app, place, images)
            return throwaway.ask(self.run, self.app, place, timeout_seconds=SECONDS, mounts=mounts, **question)


def words(outcome: RestoreOutcome, entry: journal.Entry, *, stays: bool) -> str:
    """Return in a sentence or two how the database stands, and what to do; nothing where all is as it was."""
    if outcome.put_back:
        return f"Its migrations lose data when reversed, so the copy from before was put back ({outcome.put_back})."
    if not outcome.standing:
        return ""
    held = [one for one in outcome.standing if not one["reversible"] or one["lossy"]] or outcome.standing
    why = migration_messages.why_standing(held[-1]) if held is not outcome.standing else "the database was empty before"
    text = f"{_some(outcome.names)} of release {entry.number} stay{'s' if len(outcome.names) == 1 else ''} applied"
    text = f"{text[0].upper()}{text[1:]} ({migration_messages.labels(held[-1:])[0]}: {why})"
    if outcome.not_put_back:
        text += f", and the copy from before was not put back, since {outcome.not_put_back}"
    if outcome.unread:
        text += f"; the code from before can't work with that ({some(outcome.unread, 1)})"
        text += f", so what release {entry.number} started goes on serving" if stays else ""
    kept = [one.get("path", "") for one in entry.backups]
    where = f"The data from before are in {', '.join(kept)} ({docs_page('rollback')}: how they are brought back). "
    return f"{text}. {where if kept else ''}Correct what is wrong by a new commit and deploy that."


def _some(names: list[str]) -> str:
    return f"the migration {names[0]}" if len(names) == 1 else f"the migrations {some(names)}"
