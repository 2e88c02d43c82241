# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all runs together say: ratios to the shell procedure of the same round, and whether the goals are met. Pure."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

SHELL = "shell"
#: How long a strategy may take, as a part of the shell procedure's time in the same round.
GOALS = {"rolling": 0.5, "reload": 0.2}

Runs = t.Sequence[t.Mapping[str, t.Any]]
Scenarios = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Goal:
    """One thing that was to be reached."""

    name: str
    wanted: float
    measured: float

    met: bool = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "met", self.measured <= self.wanted)

    def line(self) -> str:
        """Return it to a person."""
        return f"{'met   ' if self.met else 'MISSED'} {self.name}: {self.measured:g}, wanted at most {self.wanted:g}"


def ratios(scenarios: Scenarios) -> dict[str, dict[str, list[float]]]:
    """Return the wall time of each of our runs as a part of the shell's in the same round."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, scenario in scenarios.items():
        shell = {run["round"]: run["wall_seconds"] for run in scenario["runs"] if run["procedure"] == SHELL}
        for run in scenario["runs"]:
            if run["procedure"] != SHELL and run["round"] in shell:
                ratio = round(run["wall_seconds"] / shell[run["round"]], 3)
                found.setdefault(name, {}).setdefault(run["procedure"], []).append(ratio)
    return found


def goals(scenarios: Scenarios) -> list[Goal]:
    """Judge the strategies that have goals: none for the shell procedure, nor for one that admits an outage."""
    judged = []
    for scenario, by_procedure in ratios(scenarios).items():
        for name in GOALS.keys() & by_procedure.keys():
            median = round(statistics.median(by_procedure[name]), 3)
            judged.append(Goal(f"{scenario}, {name}: wall time as a part of the shell's (median)", GOALS[name], median))
    for scenario, one in scenarios.items():
        for name in sorted({run["procedure"] for run in one["runs"]} & GOALS.keys()):
            runs = [run for run in one["runs"] if run["procedure"] == name]
            counts = {
                "failed requests in all runs": sum(run["failed"] for run in runs),
                "old pages after done in all runs": sum(run["old_pages_after_done"] for run in runs),
                "runs that failed": sum(bool(run["exit_code"]) for run in runs),
                "runs that left a page or the style sheet old": sum(not _all_new(run) for run in runs),
            }
            judged += [Goal(f"{scenario}, {name}: {what}", 0, count) for what, count in counts.items()]
    return sorted(judged, key=lambda goal: goal.name)


def _all_new(run: t.Mapping[str, t.Any]) -> bool:
    return bool(run["style_sheet_new"]) and run["every_page_fresh_seconds"] is not None


def line(scenario: str, run: t.Mapping[str, t.Any]) -> str:
    """Return one run to a person."""
    fresh, old = run["first_fresh_page_seconds"], run["last_old_page_seconds"]
    said = [
        f"{scenario:10} {run['round']} {run['procedure']:8} {run['wall_seconds']:6.2f} s",
        f"{run['requests']:5} requests, {run['failed']:4} failed",
        f"longest gap {run['longest_gap_seconds']:6.3f} s",
        f"first fresh {fresh:6.2f} s" if fresh is not None else "never fresh",
        f"last old {old:6.2f} s" if old is not None else "never old",
        f"{run['old_pages_after_done']:3} old after done",
    ]
    if run["exit_code"]:
        said.append(f"EXIT CODE {run['exit_code']}")
    if run["late_starts"]:
        said.append(f"generator late {run['late_starts']} times, {run['worst_late_start_ms']:.0f} ms at worst")
    return ", ".join(said)
