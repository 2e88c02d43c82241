# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a walk for bytecode found and did. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import json
import typing as t

#: How many notes of a kind a result holds; all are counted.
MOST_NOTES = 100


@dataclasses.dataclass
class Notes:
    """Paths, each with a reason: all are counted, the first ones are kept."""

    count: int = 0
    first: list[dict[str, str]] = dataclasses.field(default_factory=list)

    def add(self, path: str, reason: str) -> None:
        self.count += 1
        if len(self.first) < MOST_NOTES:
            self.first.append({"path": path, "reason": reason})

    def merge(self, other: Notes) -> None:
        self.count += other.count
        self.first = (self.first + other.first)[:MOST_NOTES]


@dataclasses.dataclass
class Tally:
    """What a walk found and did."""

    files_removed: int = 0
    directories_removed: int = 0
    bytes_freed: int = 0
    directories_seen: int = 0
    paths: list[str] = dataclasses.field(default_factory=list)
    #: How many files went for each reason.
    reasons: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Directories that held bytecode only, and are removed with it.
    emptied: Notes = dataclasses.field(default_factory=Notes)
    #: Of those that a process was given to walk, the ones it removed, each as the way from the root.
    gone: list[list[str]] = dataclasses.field(default_factory=list)
    #: Left on purpose.
    skipped: Notes = dataclasses.field(default_factory=Notes)
    #: Could not be looked into.
    unreadable: Notes = dataclasses.field(default_factory=Notes)
    #: Bytecode that is still there.
    failed: Notes = dataclasses.field(default_factory=Notes)

    def merge(self, other: Tally) -> None:
        self.files_removed += other.files_removed
        self.directories_removed += other.directories_removed
        self.bytes_freed += other.bytes_freed
        self.directories_seen += other.directories_seen
        self.paths += other.paths
        self.gone += other.gone
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.emptied.merge(other.emptied)
        self.skipped.merge(other.skipped)
        self.unreadable.merge(other.unreadable)
        self.failed.merge(other.failed)

    def dump(self) -> bytes:
        """Return the tally as bytes, for another process."""
        return json.dumps(dataclasses.asdict(self)).encode("ascii")

    @classmethod
    def load(cls, data: bytes) -> Tally:
        """Read what C(dump()) gave."""
        fields: dict[str, t.Any] = json.loads(data)
        for name in ("emptied", "skipped", "unreadable", "failed"):
            fields[name] = Notes(**fields[name])
        return cls(**fields)
