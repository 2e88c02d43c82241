# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a site, in sentences and figures. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._verify.lifetimes import longest_seconds
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import LOG, SITEMAP, judge_visit

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Finding, Visit
    from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark
    from ansible_collections.juno.deploy.plugins.module_utils._verify.verify_spec import VerifyOutcome

#: So many findings have a line of their own.
LINES = 10


def sentence(site: Site, finding: Finding) -> str:
    """Return a finding as a sentence without its full stop."""
    if finding.container:
        return f"{finding.path} on the container {finding.container} {finding.problem}"
    where = finding.path if finding.alone else f"{finding.path} on {site.base_url}"
    return f"{where} {finding.problem}"


def summary(site: Site, findings: list[Finding]) -> str:
    """Return the message of a failed check: the first error, and how many others there are; nothing without one."""
    return _first(site, [finding for finding in findings if finding.level == "error"], "problem")


def warning(site: Site, findings: list[Finding]) -> str:
    """Return the first of the findings that fail nothing, and how many others there are; nothing without one."""
    return _first(site, [finding for finding in findings if finding.level == "warning"], "finding")


def _first(site: Site, findings: list[Finding], what: str) -> str:
    if not findings:
        return ""
    others = len(findings) - 1
    more = f" (and {others} other {what}{'s' if others > 1 else ''}, see findings)" if others else ""
    return f"{sentence(site, findings[0])}{more}."


def words(site: Site, outcome: VerifyOutcome) -> list[str]:
    """Tell in lines what was asked for and what was found."""
    where = [
        f"{number} from the {name}"
        for name, source in (("sitemap", SITEMAP), ("log", LOG))
        if (number := sum(one.page.source == source for one in outcome.visits))
    ]
    names = [one.container for one in outcome.seen.endpoints]
    asked = f"{len(outcome.visits)} page(s) asked for twice and {len(outcome.assets)} file(s) that they name"
    asked += f" ({', '.join(where)})" if where else ""
    if names:
        asked += f", the pages also on {names[0] if len(names) == 1 else f'each of {len(names)} containers'}"
    wrong = sum(one.level == "error" for one in outcome.findings)
    lesser = "without a fault, but see below" if outcome.findings else "all as they must be"
    lines = [f"{asked}, {f'with {wrong} fault(s)' if wrong else lesser}"]
    lines += [f"Finding: {sentence(site, one)}" for one in outcome.findings[:LINES]]
    more = len(outcome.findings) - LINES
    return [*lines, f"and {more} more (see findings)"] if more > 0 else lines


def report(site: Site, outcome: VerifyOutcome, mark: Mark | None = None) -> dict[str, t.Any]:
    """Return the module's result."""
    findings = [
        {
            "what": one.what,
            "path": one.path,
            "container": one.container,
            "level": one.level,
            "message": sentence(site, one),
        }
        for one in outcome.findings
    ]
    manifest = outcome.seen.manifest
    return {
        "changed": False,
        "pages": [_page(site, one, mark) for one in outcome.visits],
        "assets": {
            "checked": len(outcome.assets),
            "failed": [one["path"] for one in findings if one["what"] == "asset" and one["level"] == "error"],
        },
        "containers": [
            {
                "name": endpoint.container,
                "address": endpoint.address,
                "port": endpoint.port,
                "pages": sum(one.container == endpoint.container for one in outcome.directs),
            }
            for endpoint in outcome.seen.endpoints
        ],
        "manifest": {"path": manifest.path, "names": len(manifest.names)} if manifest else {},
        "release": {"value": mark.value, "shown": _shown(mark, outcome.visits)} if mark else {},
        "html_max_age_found": max(
            (longest_seconds(one.answers[-1].headers) for one in outcome.visits if one.answers[-1].is_html), default=0
        ),
        "waited_seconds": outcome.waited_seconds,
        "findings": findings,
        "words": words(site, outcome),
    }


def _shown(mark: Mark, visits: list[Visit]) -> int:
    return sum(bool(mark.shown(one.answers[-1])) for one in visits)


def _page(site: Site, visit: Visit, mark: Mark | None) -> dict[str, t.Any]:
    answers = visit.answers
    return {
        "path": visit.page.path,
        "source": visit.page.source,
        "status": answers[-1].status,
        "milliseconds": {
            "miss": answers[0].milliseconds,
            "hit": answers[1].milliseconds if len(answers) > 1 else None,
        },
        "findings": [sentence(site, one) for one in judge_visit(visit, mark)],
    }
