# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a site, in sentences and figures. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._pages import judge_visit
from ansible_collections.juno.deploy.plugins.module_utils._pages_lifetimes import longest_seconds

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._pages import Finding, Outcome
    from ansible_collections.juno.deploy.plugins.module_utils._pages_site import Site


def sentence(site: Site, finding: Finding) -> str:
    """Give a finding as a sentence without its full stop."""
    where = finding.path if finding.what == "assets" else f"{finding.path} on {site.base_url}"
    return f"{where} {finding.problem}"


def summary(site: Site, findings: list[Finding]) -> str:
    """Give the message of a failed check: the first error, and how many others there are; nothing without an error."""
    errors = [finding for finding in findings if finding.level == "error"]
    if not errors:
        return ""
    others = len(errors) - 1
    more = f" (and {others} other problem{'s' if others > 1 else ''}, see findings)" if others else ""
    return f"{sentence(site, errors[0])}{more}."


def report(site: Site, outcome: Outcome) -> dict[str, t.Any]:
    """Give the module's result."""
    findings = [
        {"what": one.what, "path": one.path, "level": one.level, "message": sentence(site, one)}
        for one in outcome.findings
    ]
    pages = []
    for visit in outcome.visits:
        answers = visit.answers
        pages.append(
            {
                "path": visit.page.path,
                "status": answers[-1].status,
                "milliseconds": {
                    "miss": answers[0].milliseconds,
                    "hit": answers[1].milliseconds if len(answers) > 1 else None,
                },
                "findings": [sentence(site, one) for one in judge_visit(visit)],
            }
        )
    return {
        "changed": False,
        "pages": pages,
        "assets": {
            "checked": len(outcome.assets),
            "failed": [one["path"] for one in findings if one["what"] == "asset" and one["level"] == "error"],
        },
        "html_max_age_found": max(
            (longest_seconds(one.answers[-1].headers) for one in outcome.visits if one.answers[-1].is_html), default=0
        ),
        "waited_seconds": outcome.waited_seconds,
        "findings": findings,
    }
