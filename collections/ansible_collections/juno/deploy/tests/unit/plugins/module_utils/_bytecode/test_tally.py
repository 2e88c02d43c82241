# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a walk: summed up, bounded, handed from process to process."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import MOST_NOTES, Notes, Tally


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
    tally = Tally(
        3,
        2,
        4096,
        7,
        ["/srv/a\\xff"],
        {"unused": 3},
        emptied=notes(4),
        gone=[["a", "\udcff"]],
        skipped=notes(1),
        unreadable=notes(2),
        failed=notes(3),
    )
    assert Tally.load(tally.dump()) == tally


def test_tallies_are_summed_up() -> None:
    tally, other = (
        Tally(
            1 * by,
            2 * by,
            3 * by,
            4 * by,
            [f"/{by}"],
            {"unused": by, f"only_{by}": by},
            notes(4 * by),
            [[f"{by}"]],
            notes(1 * by),
            notes(2 * by),
            notes(3 * by),
        )
        for by in (1, 10)
    )
    tally.merge(other)
    assert (tally.paths, tally.gone) == (["/1", "/10"], [["1"], ["10"]])
    assert tally.reasons == {"unused": 11, "only_1": 1, "only_10": 10}
    assert (tally.files_removed, tally.directories_removed, tally.bytes_freed, tally.directories_seen) == (
        11,
        22,
        33,
        44,
    )
    counts = (tally.skipped.count, tally.unreadable.count, tally.failed.count, tally.emptied.count)
    assert counts == (11, 22, 33, 44)
