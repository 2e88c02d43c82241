# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to say about a whole site, in a few sentences. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._verify import manifest as verify_manifest
from ansible_collections.juno.deploy.plugins.module_utils._verify import same_site
from ansible_collections.juno.deploy.plugins.module_utils._verify.lifetimes import longest_seconds
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import (
    Finding,
    judge_asset,
    judge_direct,
    judge_visit,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Direct, Get, Visit
    from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark

#: A sentence names so many beside the first.
NAMED = 4


@dataclasses.dataclass(frozen=True)
class File:
    """What came of asking for one file: its fault, or that there was no time for it."""

    path: str
    status: int = 0
    findings: tuple[Finding, ...] = ()
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Assets:
    """What came of asking for the files that pages name."""

    #: How many the pages name, and those of them that were to be asked for.
    named: int = 0
    chosen: int = 0
    files: tuple[File, ...] = ()

    @property
    def asked(self) -> list[str]:
        """The files that were asked for."""
        return [one.path for one in self.files if not one.late]

    @property
    def late(self) -> int:
        """How many there was no time for."""
        return sum(one.late for one in self.files)

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with them."""
        return [finding for one in self.files for finding in one.findings]


def judge_file(path: str, get: Get, *, sure: bool) -> File:
    """Ask for a file and judge it; unless it is sure to be asked for, there may be no time for it."""
    answer = get(path)
    if answer.timed_out and not sure:
        return File(path, late=True)
    return File(path, answer.status, tuple(judge_asset(answer)))


def of_answers(mark: Mark | None, visits: list[Visit], directs: list[Direct], assets: Assets) -> list[Finding]:
    """Return what is to say about single pages and files."""
    findings = [one for visit in visits for one in judge_visit(visit, mark)]
    findings += distinguished(findings, [one for direct in directs for one in judge_direct(direct, mark)], directs)
    return [*findings, *same_site.findings(visits, directs), *assets.findings]


def softened(findings: list[Finding], doubtful: t.Collection[str]) -> list[Finding]:
    """Make warnings of what is wrong with pages of which it is not known that they ever were right."""
    why = "; the release before did not answer it either, or has no such page, so this fails nothing"
    return [
        dataclasses.replace(one, problem=one.problem + why, level="warning")
        if one.path in doubtful and one.level == "error"
        else one
        for one in findings
    ]


def distinguished(front: list[Finding], inside: list[Finding], directs: list[Direct]) -> list[Finding]:
    """Leave out what every container answers as the front door does: that needs no container's name."""
    said = {(one.path, one.problem) for one in front}
    everyone = len({one.container for one in directs})
    times = collections.Counter((one.path, one.problem) for one in inside)
    alike = {key for key, number in times.items() if number == everyone and key in said}
    return [one for one in inside if (one.path, one.problem) not in alike]


def of_pages(visits: list[Visit], most_seconds: int) -> list[Finding]:
    """Return which pages browsers keep too long, in one sentence, and for each page how its cached copy differs."""
    differing = [
        Finding("cached", one.page.path, f"is served as {one.difference}", "warning")
        for one in visits
        if one.difference
    ]
    kept = [(longest_seconds(one.answers[-1].headers), one.page.path) for one in visits if one.answers[-1].is_html]
    kept = sorted((one for one in kept if one[0] > most_seconds), key=lambda one: -one[0])
    if not kept:
        return differing
    seconds, path = kept[0]
    problem = (
        f"may be kept by browsers and proxies for {seconds} s{_others([other for _seconds, other in kept[1:]])}, and "
        "nothing here can call that back: send Cache-Control: no-cache with an ETag, put cache_control(max_age=0) "
        "around cache_page, or shorten it"
    )
    return [Finding("lifetime", path, problem, "warning"), *differing]


def _others(paths: list[str]) -> str:
    if not paths:
        return ""
    more = len(paths) - NAMED
    return f" (too long as well: {', '.join(paths[:NAMED])}{f' and {more} more' if more > 0 else ''})"


def of_number(assets: Assets) -> list[Finding]:
    """Return how many files were left out."""
    if assets.named <= assets.chosen:
        return []
    problem = f"name {assets.named} files, of which only {assets.chosen} were checked (see max_assets)"
    return [Finding("assets", "The pages", problem, "warning", alone=True)]


def replaced(manifest: verify_manifest.Manifest | None, assets: Assets) -> list[str]:
    """Return the files that are there though the manifest of static files has them no longer."""
    there = {one.path for one in assets.files if one.status == 200 and not one.findings}
    return [path for path in verify_manifest.strangers(manifest, assets.asked) if path in there] if manifest else []


def of_replaced(manifest: verify_manifest.Manifest, files: list[str], old_pages: dict[str, str]) -> list[Finding]:
    """Judge files that were replaced: pages that name one while a fresh rendering doesn't are old pages.

    C(old_pages) gives such a page's path and one of the files. Where the fresh page names it too, it is written down in
    the site's content or code, which nothing but a change of those mends.
    """
    findings = [
        Finding(
            "manifest",
            page,
            f"is an old page: it names {file}, which {manifest.path} has no longer, and a fresh one doesn't",
        )
        for page, file in old_pages.items()
    ]
    kept = [file for file in files if file not in old_pages.values()]
    if kept:
        also = f", as are {', '.join(kept[1 : NAMED + 1])}" if len(kept) > 1 else ""
        also += f" and {len(kept) - NAMED - 1} more" if len(kept) > NAMED + 1 else ""
        problem = f"is an old file that is still kept{also}: a page names it, and {manifest.path} doesn't"
        findings.append(Finding("manifest", kept[0], problem, "warning"))
    return findings


def of_time(seconds: float, pages: int, files: int) -> list[Finding]:
    """Return what was left out since the time for pages that nobody configured was over."""
    if not pages and not files:
        return []
    what = " and ".join(
        f"{number} {name}{'' if number == 1 else 's'}" for number, name in ((pages, "page"), (files, "file")) if number
    )
    problem = f"of the sitemap or the log were left out, since their {seconds:g} s were over (see found_seconds)"
    return [Finding("left_out", what, problem, "warning", alone=True)]
