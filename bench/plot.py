#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the figures of side_by_side: python -m bench.plot bench/results/side_by_side.json"""

from __future__ import annotations

import json
import statistics
import sys
import typing as t
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # draws to a file; there may be no screen

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from bench.figures import BIN_SECONDS

COLOURS = {"shell": "#7d8597", "rolling": "#2f6fdf", "reload": "#16a3a0", "recreate": "#b07cc6"}
OUTCOMES = {"old": ("#c9ced8", "old page"), "new": ("#35a86b", "new page"), "failed": ("#d7263d", "failed")}
BARS = {
    "wall_seconds": ("Wall time", "s", "{:.1f}"),
    "first_fresh_page_seconds": ("First fresh page after", "s", "{:.1f}"),
    "last_old_page_seconds": ("Last old page after", "s", "{:.1f}"),
    "failed": ("Failed requests", "", "{:.0f}"),
    "longest_gap_seconds": ("Longest gap", "s", "{:.2f}"),
    "old_pages_after_done": ('Old pages after "done"', "", "{:.0f}"),
}

Runs = dict[str, list[dict[str, t.Any]]]


def draw(result: t.Mapping[str, t.Any], file: Path) -> None:
    """Write the picture: a row of bars for each scenario, and what visitors got in each procedure's median run."""
    scenarios = {name: (one["settings"], by_procedure(one["runs"])) for name, one in result["scenarios"].items()}
    _settings, shown = next(iter(scenarios.values()))
    heights = [2.9] * len(scenarios) + [0.6 + 1.25 * len(shown)]
    figure = pyplot.figure(figsize=(15, sum(heights) + 0.5), layout="constrained")
    figure.suptitle("The same change, deployed side by side", fontsize=16, fontweight="bold")
    parts = t.cast("t.Sequence[SubFigure]", figure.subfigures(len(heights), 1, height_ratios=heights))
    for part, (name, (settings, runs)) in zip(parts, scenarios.items(), strict=False):
        part.suptitle(_title(name, settings, runs), fontsize=11, x=0.01, ha="left")
        for axes, key in zip(part.subplots(1, len(BARS)), BARS, strict=True):
            _bars(axes, key, runs)
    _timelines(parts[-1], shown, next(iter(scenarios)))
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def by_procedure(runs: t.Iterable[dict[str, t.Any]]) -> Runs:
    """Group the runs, in the order in which a reader compares them."""
    grouped: Runs = {name: [] for name in COLOURS}
    for run in runs:
        grouped[run["procedure"]].append(run)
    return {name: found for name, found in grouped.items() if found}


def median_run(runs: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the run whose wall time is the median; the lower one of two."""
    return sorted(runs, key=lambda run: float(run["wall_seconds"]))[(len(runs) - 1) // 2]


def drawn(scenarios: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the runs whose timelines are in the picture."""
    return [median_run(found) for found in by_procedure(next(iter(scenarios.values()))["runs"]).values()]


def _title(name: str, settings: t.Mapping[str, t.Any], runs: Runs) -> str:
    kept = "kept connections" if settings["keep_alive"] else "a new connection for each"
    slow = f", and a page of 5 s every {1 / settings['slow_per_second']:.0f} s" if settings["slow_per_second"] else ""
    count = max(len(found) for found in runs.values())
    return (
        f"{name}: {settings['per_second']:.0f} requests/s over five pages, {kept}{slow}; "
        f"bar: median of {count} run{'s' * (count > 1)}, dot: one run"
    )


def _bars(axes: Axes, key: str, runs: Runs) -> None:
    title, unit, shape = BARS[key]
    values = {name: [run[key] for run in found if run[key] is not None] for name, found in runs.items()}
    top = max((value for found in values.values() for value in found), default=0) or 1
    for place, (name, found) in enumerate(values.items()):
        if not found:
            axes.text(place, 0, "never", ha="center", va="bottom", fontsize=10)
            continue
        middle = statistics.median(found)
        axes.bar(place, middle, width=0.62, color=COLOURS[name], alpha=0.85)
        spread = [place + (number - (len(found) - 1) / 2) * 0.13 for number in range(len(found))]
        axes.scatter(spread, found, s=16, color="black", zorder=3, clip_on=False)
        axes.text(place, max(found) + top * 0.05, shape.format(middle), ha="center", va="bottom", fontsize=10)
    axes.set_title(f"{title} [{unit}]" if unit else title, fontsize=10)
    axes.set_xticks(range(len(values)), list(values))
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.set_ylim(0, top * 1.25)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=not unit))
    _plain(axes)


def _timelines(part: Figure | SubFigure, runs: Runs, scenario: str) -> None:
    part.suptitle(
        f"What visitors got in the median run ({scenario}), answers in each {BIN_SECONDS:g} s",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    chosen = {name: median_run(found) for name, found in runs.items()}
    columns = part.subplots(len(chosen), 1, sharex=True, squeeze=False)
    for number, (axes, (name, run)) in enumerate(zip(columns[:, 0], chosen.items(), strict=True)):
        starts = [one["at"] for one in run["timeline"]]
        bottom = [0.0] * len(starts)
        for outcome, (colour, label) in OUTCOMES.items():
            counts = [one[outcome] for one in run["timeline"]]
            axes.bar(starts, counts, width=BIN_SECONDS, align="edge", bottom=bottom, color=colour, label=label)
            bottom = [below + count for below, count in zip(bottom, counts, strict=True)]
        for at, said in ((0.0, "start"), (run["wall_seconds"], "done")):
            axes.axvline(at, color="black", linewidth=1.2)
            axes.text(
                at, 1.0, f" {said}", transform=axes.get_xaxis_transform(), va="top", fontsize=9, fontweight="bold"
            )
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11, color=COLOURS[name], fontweight="bold")
        axes.set_ylim(0, max(bottom) * 1.3)
        axes.margins(x=0.005)
        _plain(axes)
        if number == 0:
            axes.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1), fontsize=9, frameon=False)
    columns[-1, 0].set_xlabel("seconds from the start of the procedure")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def main() -> None:
    """Draw again from figures that are there."""
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text(encoding="utf-8")), source.with_suffix(".png"))


if __name__ == "__main__":
    main()
