# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ratios within a round, goals, and the picture."""

from __future__ import annotations

import pytest

from bench import plot, side_by_side, verdict
from droplet.process import DropletError


def run(procedure, number, wall, **more):
    """Make one run's figures."""
    given = {
        "procedure": procedure,
        "round": number,
        "exit_code": 0,
        "style_sheet_new": True,
        "wall_seconds": wall,
        "requests": 100,
        "failed": 0,
        "longest_gap_seconds": 0.03,
        "first_fresh_page_seconds": 2.0,
        "every_page_fresh_seconds": 3.0,
        "last_old_page_seconds": 2.5,
        "old_pages_after_done": 0,
        "late_starts": 0,
        "worst_late_start_ms": 1.0,
        "timeline": [{"at": -0.5, "old": 9, "new": 0, "failed": 0}, {"at": 0.0, "old": 5, "new": 4, "failed": 1}],
    }
    return given | more


def scenario(*runs):
    return {"steady": {"settings": {"per_second": 40, "keep_alive": False, "slow_per_second": 1 / 3}, "runs": runs}}


def missed(*runs):
    """Give the goals that are missed, without the scenario's name."""
    return [goal.name.partition(", ")[2] for goal in verdict.goals(scenario(*runs)) if not goal.met]


def test_a_ratio_compares_runs_of_one_round():
    measured = scenario(run("shell", 1, 20), run("rolling", 1, 10), run("rolling", 2, 10), run("shell", 2, 40))
    assert verdict.ratios(measured) == {"steady": {"rolling": [0.5, 0.25]}}


def test_no_ratio_without_the_shell():
    assert verdict.ratios(scenario(run("rolling", 1, 10))) == {}


@pytest.mark.parametrize(
    ("wall", "expected"), [(10, []), (10.1, ["rolling: wall time as a part of the shell's (median)"])]
)
def test_the_goal_of_rolling(wall, expected):
    assert missed(run("shell", 1, 20), run("rolling", 1, wall)) == expected


def test_one_slow_round_of_three_is_forgiven():
    rounds = [run("shell", number, 20) for number in (1, 2, 3)]
    assert missed(*rounds, run("reload", 1, 4), run("reload", 2, 3.9), run("reload", 3, 8)) == []


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"failed": 1}, "failed requests in all runs"),
        ({"old_pages_after_done": 1}, "old pages after done in all runs"),
        ({"exit_code": 2}, "runs that failed"),
        ({"style_sheet_new": False}, "runs that left a page or the style sheet old"),
        ({"every_page_fresh_seconds": None}, "runs that left a page or the style sheet old"),
    ],
)
def test_nothing_of_this_is_forgiven(more, what):
    assert missed(run("reload", 1, 4), run("reload", 2, 4, **more)) == [f"reload: {what}"]
    assert missed(run("shell", 1, 4, **more), run("recreate", 1, 4, **more)) == []


def test_a_run_is_told_in_a_line():
    said = verdict.line(
        "steady", run("shell", 1, 16.93, failed=44, exit_code=1, late_starts=3, first_fresh_page_seconds=None)
    )
    for part in ("16.93 s", "44 failed", "never fresh", "EXIT CODE 1", "generator late 3 times"):
        assert part in said


def test_the_picture_is_drawn_also_without_a_fresh_page(tmp_path):
    runs = [run("shell", 1, 16), run("rolling", 1, 8), run("rolling", 2, 9, first_fresh_page_seconds=None)]
    runs.append(run("reload", 1, 3, first_fresh_page_seconds=None, last_old_page_seconds=None))
    plot.draw({"scenarios": scenario(*runs)}, tmp_path / "it.png")
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")


def test_the_median_run():
    runs = [run("shell", number, wall) for number, wall in ((1, 30), (2, 10), (3, 20), (4, 40))]
    assert plot.median_run(runs)["round"] == 3
    assert plot.median_run(runs[:3])["round"] == 3


def test_a_strategy_that_the_checkout_does_not_know_is_refused(tmp_path):
    specs = tmp_path / "collections/ansible_collections/juno/deploy/roles/django_app/meta/argument_specs.yml"
    specs.parent.mkdir(parents=True)
    specs.write_text("options: {}\n")
    side_by_side.refuse_unknown_strategies(tmp_path, ["shell", "recreate"])
    with pytest.raises(DropletError, match="no django_app_strategy, so reload and rolling can't"):
        side_by_side.refuse_unknown_strategies(tmp_path, ["shell", "rolling", "reload"])
    specs.write_text("options: {django_app_strategy: {}}\n")
    side_by_side.refuse_unknown_strategies(tmp_path, ["rolling"])


def test_names_are_checked(capsys):
    assert side_by_side.parse_arguments(["--procedures", "shell,reload"]).procedures == ["shell", "reload"]
    with pytest.raises(SystemExit):
        side_by_side.parse_arguments(["--procedures", "shell,relaod"])
    assert "'relaod' is none of" in capsys.readouterr().err
