# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The availability probe's figures in plain words. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies

Figures = t.Mapping[str, t.Any]

#: How a prober ends that was told to.
AS_ASKED = "asked"
#: A shorter time without an answer is nothing that a visitor takes for an outage.
NOTICED_SECONDS = 1.0


def words(figures: Figures, strategy: str = "", moved_to_proxy: bool = False) -> list[str]:
    """Return the lines of the report; with a strategy also what its failures mean."""
    if not figures["requests"]:
        return ["Visitors: not measured." if not figures["ended"] else "Visitors: not measured, no request was made."]
    lines = [_visitors(figures), f"Times:    p50/p99 {_times(figures)}"]
    lines += [line for line in (_lost(figures, strategy, moved_to_proxy), *_doubts(figures)) if line]
    return lines


def is_whole(figures: Figures) -> bool:
    """Return whether the prober asked from the begin to the end, so that its figures tell what visitors met."""
    return bool(figures.get("requests")) and figures.get("ended") == AS_ASKED


def outage_seconds(figures: Figures, own: float) -> float:
    """Return the time in which nobody was answered: by the prober where it ran, else by the switch's own clock."""
    return float(figures["longest_gap_seconds"] or 0.0) if own and is_whole(figures) else own


def lost(figures: Figures) -> str:
    """Return what visitors lost from the switch on, in one sentence; nothing when they lost nothing that is known."""
    if not figures.get("requests"):
        return ""
    failed = figures["failures"] - figures["before"]["failures"]
    parts = [f"{failed} of {_count(figures['requests'], 'request')} failed"] if failed else []
    if figures["unanswered"]:
        parts.append(f"{_count(figures['unanswered'], 'request')} had no answer at the end")
    if figures["old_pages"]:
        parts.append(f"{_count(figures['old_pages'], 'old page')} came after the switch")
    return f"But visitors met errors: {', '.join(parts)} (see below)." if parts else ""


def switch(figures: Figures, strategy: str, own: float, *, moved_to_proxy: bool, first: bool) -> str:
    """Return in one sentence how the switch went: as the prober saw it, else by the switch's own clock (C(own))."""
    if first:
        return f"{strategy}, nothing served before"
    whole = is_whole(figures)
    seconds = outage_seconds(figures, own)
    failed = figures["failures"] - figures["before"]["failures"] if whole else 0
    unanswered = f"{seconds:.2f} s without an answer"
    if moved_to_proxy:
        return f"{strategy}, and the proxy came before the site, or was replaced: {unanswered}, this once"
    if own:
        return f"{strategy}, {unanswered} while the containers were replaced"
    if not whole:
        return f"{strategy}, no container was missing at any moment; what visitors met was not measured"
    gap = float(figures["longest_gap_seconds"] or 0.0)
    noticed = gap > max(NOTICED_SECONDS, 2 * _undisturbed(figures))
    if failed:
        return f"{strategy}, but not every request was answered well, and the longest gap was {gap:.2f} s"
    if noticed:
        return f"{strategy}, no request failed, but for {gap:.2f} s nobody was answered"
    return f"{strategy}, no moment without an answer"


def _undisturbed(figures: Figures) -> float:
    """Return the distance of two answers when nothing is the matter: of two requests, and the slowest page before."""
    rate = float(figures.get("rate_per_second") or 0.0)
    return (1 / rate if rate else 0.0) + float(figures["before"]["max_ms"] or 0.0) / 1000


def _visitors(figures: Figures) -> str:
    asked, failures = figures["requests"], figures["failures"]
    if failures:
        first = figures["failed"][0]
        begin = f"{failures} of {_count(asked, 'request')} FAILED (first: {_where(first)}, {first['why']})"
    else:
        begin = f"{_count(asked, 'request')}, none failed"
    parts = [begin, f"longest gap {figures['longest_gap_seconds']:.2f} s"]
    if figures["slowest_seconds"] is not None:
        parts.append(f"slowest {figures['slowest_seconds']:.2f} s")
    old = figures["old_pages"]
    if old:
        parts.append(f"{_count(old, 'OLD PAGE')} after the switch (first: {_where(figures['old'][0])})")
    else:
        parts.append("old pages not judged" if old is None else "0 old pages")
    return f"Visitors: {', '.join(parts)}"


def _times(figures: Figures) -> str:
    parts = []
    for name in ("before", "during", "after"):
        timing = figures[name]
        if timing["p50_ms"] is None:
            parts.append(f"none {name}")
        elif timing["p99_ms"] is None:
            parts.append(f"{_ms(timing['p50_ms'])}/max {_ms(timing['max_ms'])} ms {name}")
        else:
            parts.append(f"{_ms(timing['p50_ms'])}/{_ms(timing['p99_ms'])} ms {name}")
    return ", ".join(parts)


def _lost(figures: Figures, strategy: str, moved_to_proxy: bool) -> str:
    """Return what failures mean under a strategy."""
    before = figures["before"]["failures"]
    since = figures["failures"] - before
    if not strategy or not figures["failures"]:
        return ""
    if not since:
        return f"All {before} failed before the switch began: that was the release before, not this deploy."
    if moved_to_proxy:
        return (
            f"{_count(since, 'request')} failed while the proxy came before the site, or was replaced: other deploys "
            "should lose none."
        )
    if not strategies.named(strategy).has_gap:
        other = f" ({before} more failed before it began)" if before else ""
        return (
            f"Requests were lost although the strategy is {strategy}: {since} failed from the switch on{other}, "
            "so visitors saw errors; look for the first of them in the app's log (the playbook juno.deploy.logs)."
        )
    return f"The strategy {strategy} stops the site for a moment: {_count(since, 'request')} failed from the switch on."


def _doubts(figures: Figures) -> list[str]:
    """Return what the figures do not cover."""
    lines = []
    if figures["not_judged"]:
        lines.append(
            f"Probe:    whether {', '.join(figures['not_judged'])} was old can't be told from its body (it differs "
            "each time, or did not answer): give it a text in contains or excludes."
        )
    if figures["late"]:
        lines.append(
            f"Probe:    {_count(figures['late'], 'request')} not asked, for want of a free connection or processor."
        )
    if figures["unanswered"]:
        lines.append(
            f"Probe:    {_count(figures['unanswered'], 'request')} had no answer yet when the availability probe ended."
        )
    if figures["ended"] != AS_ASKED:
        lines.append(f"Probe:    it ended before the deploy did ({figures['ended'] or 'it was killed'}).")
    return lines


def _where(listed: Figures) -> str:
    at = datetime.datetime.fromtimestamp(listed["at"], datetime.timezone.utc)
    return f"{listed['path']} at {at:%H:%M:%S}Z"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 'S' if what.isupper() else 's'}"


def _ms(value: float) -> str:
    return f"{round(value) if value >= 10 else value:g}"
