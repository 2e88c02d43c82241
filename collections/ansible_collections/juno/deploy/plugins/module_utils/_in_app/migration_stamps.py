# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: by which time a run knows the migrations that it recorded itself.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import importlib
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import executor_of


class Stamps:
    """The times that this run gives to the migrations it records: by them it is known which ones are its own.

    Another host, or a person, may apply one of the same name meanwhile.
    """

    def __init__(self) -> None:
        """Begin without one."""
        self.now: t.Any = None

    def next(self) -> int:
        """Return the stamp of what is recorded from now on."""
        self.now = importlib.import_module("django.utils.timezone").now()
        return stamp_of(self.now)

    @contextlib.contextmanager
    def given(self) -> "t.Iterator[None]":
        """Record with them."""
        kind = importlib.import_module("django.db.migrations.recorder").MigrationRecorder
        original = kind.record_applied

        def record_applied(recorder: t.Any, app: str, name: str) -> None:
            if self.now is None:  # a squashed one whose parts are all there
                original(recorder, app, name)
                return
            recorder.ensure_schema()
            recorder.migration_qs.create(app=app, name=name, applied=self.now)

        kind.record_applied = record_applied
        try:
            yield
        finally:
            kind.record_applied = original


def stamp_of(when: t.Any) -> int:
    """Return a time as a number, in microseconds."""
    datetime = importlib.import_module("datetime")
    zone = datetime.timezone.utc if when.tzinfo else None
    # Not a float: it would not hold them all.
    passed = when - datetime.datetime(1970, 1, 1, tzinfo=zone)
    return int((passed.days * 86400 + passed.seconds) * 10**6 + passed.microseconds)


def own(stamps: "t.Iterable[int]") -> "list[str]":
    """Name the applied migrations that were recorded with one of some stamps, in their order."""
    recorder = executor_of().recorder
    if not recorder.has_table():
        return []
    wanted = set(stamps)
    # Some servers keep whole seconds only.
    seconds = {stamp - stamp % 10**6 for stamp in wanted}
    rows = recorder.migration_qs.order_by("id").values_list("app", "name", "applied")
    times = [(f"{app}.{name}", stamp_of(when)) for app, name, when in rows]
    return [name for name, stamp in times if stamp in wanted or (not stamp % 10**6 and stamp in seconds)]
