# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a walk: summed up, bounded, handed from process to process."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_tally import MOST_NOTES, Notes, Tally


def notes(count: int) -> Notes:
    made = Notes()
    for number in range(count):
        made.add(f"/srv/{number}", "Permission denied")
    return made


@pytest.mark.parametrize("count", [0, 1, 10, 100, 101, 1000])
def test_all_notes_are_counted_and_the_first_kept(count: int) -> None:
    made = notes(count)
    assert (made.count, len(made.first)) == (count, min(count, MOST_NOTES))
    assert made.first[:1] == [{"path": "/srv/0", "reason": "Permission denied"}][:count]


def test_merged_notes_stay_bounded() -> None:
    made = notes(60)
    made.merge(notes(60))
    assert (made.count, len(made.first)) == (120, MOST_NOTES)


def test_a_tally_survives_the_way_to_another_process() -> None:
    tally = Tally(3, 2, 4096, 7, ["/srv/a\\xff"], notes(1), notes(2), notes(3))
    assert Tally.load(tally.dump()) == tally


def test_tallies_are_summed_up() -> None:
    tally = Tally(1, 2, 3, 4, ["/a"], notes(1), notes(2), notes(3))
    tally.merge(Tally(10, 20, 30, 40, ["/b"], notes(10), notes(20), notes(30)))
    assert tally.paths == ["/a", "/b"]
    assert (tally.files_removed, tally.directories_removed, tally.bytes_freed, tally.directories_seen) == (
        11,
        22,
        33,
        44,
    )
    assert (tally.skipped.count, tally.unreadable.count, tally.failed.count) == (11, 22, 33)
