# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench makes of its runs: kinds of changes, and the automation's own share."""

from __future__ import annotations

import pytest

from bench import heavy, kinds, share

OURS = "reload"


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [([], 0), ([(1, 2)], 1), ([(1, 3), (2, 4)], 3), ([(1, 9), (2, 3), (10, 11)], 9), ([(5, 6), (1, 2)], 2)],
)
def test_times_that_overlap_count_once(spans, seconds):
    assert share.union(spans) == seconds


def test_only_what_lies_within_the_deploy_counts():
    assert share.within([(0, 1), (1, 3), (4, 9)], (2, 5)) == [(2, 3), (4, 5)]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("git -C /root/x fetch", "git"),
        ("docker compose --project-directory /x build web", "build"),
        ("docker compose --file x run --rm --no-deps web python -c x", "check"),
        ("docker compose config --format json", "ours"),
        ("docker compose up --detach", "ours"),
    ],
)
def test_what_a_program_is_run_for(words, kind):
    assert share.kind_of(words) == kind


def run(procedure, number, wall, **more):
    counts = {"failed": 0, "old_pages_after_done": 0, "exit_code": 0, "style_sheet_new": True}
    return {"procedure": procedure, "round": number, "wall_seconds": wall, **counts, **more}


def test_each_kind_is_judged_by_the_guide_of_its_own_round():
    runs = [run(kinds.SHELL_QUICK, 1, 20.0), run(OURS, 1, 3.0), run(OURS, 2, 5.0)]
    runs += [run(kinds.SHELL_QUICK, 2, 10.0, failed=99)]
    ratios, goals = kinds.judge(kinds.CASES, {"template": runs})
    assert ratios == {"template": [0.15, 0.5]}
    assert [goal.met for goal in goals] == [False, True, True, True, True]
    for one, seconds in zip(runs, [16.0, 2.4, 4.0, 8.0], strict=True):
        one["last_old_page_seconds"] = seconds
    (live,) = (goal for goal in kinds.judge(kinds.CASES, {"template": runs})[1] if "live" in goal.name)
    # The median of 2.4 of 16 and of 4 of 8.
    assert (live.measured, live.met) == (0.325, False)
    for one in runs:
        del one["last_old_page_seconds"]
    runs[1]["failed"] = 1
    assert [goal.met for goal in kinds.judge(kinds.CASES, {"template": runs})[1]] == [False, False, True, True, True]


def test_the_slowest_requests_are_compared_with_those_before():
    case = {"both": kinds.Case("both", 0.3, 0.3, p99=2)}
    runs = [run(kinds.SHELL_QUICK, 1, 20.0), run(OURS, 1, 3.0, p99_ms=90.0, p99_before_ms=40.0)]
    (slower,) = (goal for goal in kinds.judge(case, {"both": runs})[1] if "slowest" in goal.name)
    assert (slower.measured, slower.met) == (2.25, False)


def test_the_heavy_site_has_its_weight(tmp_path):
    made = heavy.make(tmp_path / "site")
    files = [one for one in (made / "static/many").rglob("*") if one.is_file()]
    assert len(files) == heavy.FILES
    for one in (file for file in files if file.suffix == ".css"):
        reference = one.read_text(encoding="utf-8").partition("url(")[2].partition(")")[0]
        assert (one.parent / reference).is_file()
    settings = (made / "demo/settings.py").read_text(encoding="utf-8")
    assert settings.index("demo.weight.page") < settings.index("cache.UpdateCacheMiddleware")
    assert heavy.make(tmp_path / "site") == made
