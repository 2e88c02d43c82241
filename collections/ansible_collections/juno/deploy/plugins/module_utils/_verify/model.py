# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages of a site must show, and what was found instead. Private to juno.deploy: no stable interface.

Facts behind it: a page cache serves the old page to the second visitor when the first one has filled it too early, so
each page is asked for twice; a page may be new and yet name files that are missing, empty or cut short.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
    from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark

    Get = Callable[[str], Answer]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What a page that a visitor saw may answer to somebody who is not logged in.
CLOSED = frozenset({302, 303, 307, 401, 403})
#: What a proxy answers while the server behind it starts.
STARTING = frozenset({502, 503, 504})
#: Begin of the MD5 of nothing, as it stands in a hashed file name: such a file is empty on purpose.
EMPTY_HASH = "d41d8cd98f00"
#: Where a page comes from, and how a sentence calls that.
CONFIGURED, SITEMAP, LOG = "configured", "sitemap", "log"
NAMED_BY = {SITEMAP: "the sitemap names it", LOG: "visitors asked for it often"}
#: A name that somebody else wrote is shown this far.
SHOWN = 120


@dataclasses.dataclass(frozen=True)
class Page:
    """A page and what it must show."""

    path: str
    status: int = options.default(options.PAGE, "status")
    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    source: str = CONFIGURED

    @property
    def is_found(self) -> bool:
        """Return whether nobody configured the page, so that it must only answer below 500."""
        return self.source != CONFIGURED

    def is_shown_by(self, answer: Answer) -> bool:
        """Return whether an answer is the page, and not an error or a redirect in its place."""
        return not answer.failure and answer.status == self.status


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something wrong (V(error)) or worth knowing (V(warning)); C(problem) ends the sentence that C(path) begins."""

    what: str
    path: str
    problem: str
    level: str = "error"
    #: The container that was asked; empty: the front door.
    container: str = ""
    #: C(path) is no address but a subject of its own.
    alone: bool = False


@dataclasses.dataclass(frozen=True)
class Visit:
    """A page with its two answers; the second one is missing when the first never came."""

    page: Page
    answers: tuple[Answer, ...]
    #: How the page as it was last served differs from a rendering past its cache, in words.
    difference: str = ""


@dataclasses.dataclass(frozen=True)
class Direct:
    """A page as one container answers it, and the status that the front door gave to visitors; 0 when it gave none."""

    page: Page
    container: str
    answer: Answer
    front: int = 0


def parse_pages(listed: list[dict[str, t.Any]]) -> list[Page]:
    """Read the option O(pages).

    :raises BadInputError: the list is empty, or a page of it makes no sense.
    """
    if not listed:
        raise BadInputError("pages is empty, so there is nothing to check: name a page, for example [{path: /}].")
    for entry in listed:
        path, status = entry["path"], entry["status"]
        if not path.startswith("/"):
            raise BadInputError(f"The path '{path}' of a page does not begin with a slash: write it as '/{path}'.")
        if not 100 <= status <= 599:
            raise BadInputError(f"The status {status} of the page {path} is no HTTP status: give one from 100 to 599.")
        if "" in entry["contains"] or "" in entry["excludes"]:
            raise BadInputError(f"A text of the page {path} is empty: leave it out of contains and excludes.")
    return [
        Page(entry["path"], entry["status"], tuple(entry["contains"]), tuple(entry["excludes"])) for entry in listed
    ]


def judge_answer(page: Page, answer: Answer) -> list[str]:
    """Return what is wrong with one answer of a page, each as the rest of a sentence that the page begins."""
    if answer.failure:
        return [f"did not answer ({answer.failure})"]
    if answer.status != page.status:
        hint = check_headers.hint(answer.status, answer.headers)
        return [f"answered {_status(answer)} instead of {page.status}{f': {hint}' if hint else ''}"]
    if answer.too_large:
        return [f"sends more than {len(answer.body)} bytes, so its text can't be judged (see max_body_bytes)"]
    if answer.is_cut_short:
        return [f"was cut short: {_lengths(answer)}"]
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity" and (page.contains or page.excludes):
        return [f"is encoded as '{encoding}' though nobody asked for that, so its text can't be judged"]
    body = answer.text
    problems = [f"does not contain '{text}'" for text in page.contains if text not in body]
    return problems + [f"still contains '{text}'" for text in page.excludes if text in body]


def judge_found(page: Page, answer: Answer) -> list[tuple[str, str]]:
    """Return what is to say about one answer of a page that nobody configured, with the level.

    It must answer, and below 500. One that needs too long may be meant so, for example a stream.
    """
    why = NAMED_BY[page.source]
    if answer.failure:
        return [(f"did not answer ({answer.failure}), and {why}", "warning" if answer.timed_out else "error")]
    if answer.status >= 500:
        return [(f"answered {answer.status}, and {why}", "error")]
    if answer.status >= 300 and not (page.source == LOG and answer.status in CLOSED):
        return [(f"answered {_status(answer)}, and {why}", "warning")]
    if answer.is_cut_short:
        return [(f"was cut short: {_lengths(answer)}", "error")]
    return []


def judge(page: Page, answer: Answer, mark: Mark | None) -> list[tuple[str, str]]:
    """Return what is to say about one answer of any page, with the level; the release's mark comes last."""
    judged = judge_found(page, answer) if page.is_found else [(one, "error") for one in judge_answer(page, answer)]
    return judged + mark.judge(answer) if mark and not answer.failure and answer.status < 500 else judged


def judge_visit(visit: Visit, mark: Mark | None = None) -> list[Finding]:
    """Return what is to say about a page; a problem of only one of its answers says of which."""
    judged = [judge(visit.page, answer, mark) for answer in visit.answers]
    findings: dict[tuple[str, str], None] = {}
    for number, problems in enumerate(judged):
        for problem, level in problems:
            everywhere = len(judged) == 1 or all((problem, level) in others for others in judged)
            findings[problem if everywhere else f"{problem} ({('first', 'second')[number]} request)", level] = None
    return [Finding("page", visit.page.path, problem, level) for problem, level in findings]


def judge_direct(direct: Direct, mark: Mark | None = None) -> list[Finding]:
    """Return what is to say about a page as one container answers it."""
    page, answer = direct.page, direct.answer
    problems = judge(page, answer, mark)
    if page.is_found and not answer.failure:
        problems = [one for one in problems if one[1] == "error" or answer.status < 300]
        if answer.status < 500 and direct.front and answer.status != direct.front:
            problems.append((f"answered {_status(answer)} where the front door answers {direct.front}", "warning"))
    return [Finding("container", page.path, problem, level, direct.container) for problem, level in problems]


def judge_asset(answer: Answer) -> list[Finding]:
    """Return what is wrong with a file that a page names."""
    problem = ""
    if answer.failure:
        problem = f"did not answer ({answer.failure})"
    elif answer.status != 200:
        problem = f"answered {answer.status} instead of 200"
    elif answer.is_cut_short:
        problem = f"was cut short: {_lengths(answer)}"
    elif not answer.body and EMPTY_HASH not in answer.path:
        problem = "is empty"
    return [Finding("asset", answer.path, problem)] if problem else []


def _status(answer: Answer) -> str:
    location = answer.headers.get("location") if answer.status in REDIRECTS else None
    return f"{answer.status}{f' (to {location[:SHOWN]})' if location else ''}"


def _lengths(answer: Answer) -> str:
    announced = answer.declared_bytes
    return f"{len(answer.body)} bytes came{'' if announced is None else f' of {announced}'}"


def is_starting(page: Page, answer: Answer) -> bool:
    """Return whether an answer is that of a site that still starts: none at all, or a proxy's that finds nobody."""
    if answer.failure:
        return answer.transient
    return answer.status in STARTING and answer.status != page.status
