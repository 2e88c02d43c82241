# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages of a site must show, and what was found instead. Private to juno.deploy: no stable interface.

Facts behind it: a page cache serves the old page to the second visitor when the first one has filled it too early, so
each page is asked for twice; a page may be new and yet name files that are missing, empty or cut short.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._pages_assets import find_assets, path_on_site
from ansible_collections.juno.deploy.plugins.module_utils._pages_fresh import difference, past_cache
from ansible_collections.juno.deploy.plugins.module_utils._pages_lifetimes import longest_seconds

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._pages_site import Answer, Site

    Get = Callable[[str], Answer]

CONNECTIONS = 4
POLL_SECONDS = 0.2
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What a proxy answers while the server behind it starts.
STARTING = frozenset({502, 503, 504})
#: Begin of the MD5 of nothing, as it stands in a hashed file name: such a file is empty on purpose.
EMPTY_HASH = "d41d8cd98f00"


@dataclasses.dataclass(frozen=True)
class Page:
    """A page and what it must show."""

    path: str
    status: int = 200
    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something wrong (V(error)) or worth knowing (V(warning)); C(problem) ends the sentence that C(path) begins."""

    what: str
    path: str
    problem: str
    level: str = "error"


@dataclasses.dataclass(frozen=True)
class Visit:
    """A page with its two answers; the second one is missing when the first never came."""

    page: Page
    answers: tuple[Answer, ...]
    #: How the page as it was last served differs from a rendering past its cache, in words.
    difference: str = ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """All that was seen of a site."""

    visits: list[Visit]
    assets: list[str]
    findings: list[Finding]
    waited_seconds: float


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


def check_figures(params: dict[str, t.Any]) -> None:
    """Refuse figures that make no sense.

    :raises BadInputError: one of them is too small.
    """
    if params["wait_seconds"] < 0:
        raise BadInputError(f"wait_seconds is {params['wait_seconds']:g}: give 0, or how long to wait at most.")
    for name in ("timeout_seconds", "max_assets", "max_body_bytes"):
        if params[name] <= 0:
            raise BadInputError(f"{name} is {params[name]:g}: give more than 0.")


def judge_answer(page: Page, answer: Answer) -> list[str]:
    """Give what is wrong with one answer of a page, each as the rest of a sentence that the page begins."""
    if answer.failure:
        return [f"did not answer ({answer.failure})"]
    if answer.status != page.status:
        location = answer.headers.get("location") if answer.status in REDIRECTS else None
        return [f"answered {answer.status}{f' (to {location})' if location else ''} instead of {page.status}"]
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


def judge_visit(visit: Visit) -> list[Finding]:
    """Give what is wrong with a page; a problem of only one of its answers says of which."""
    judged = [judge_answer(visit.page, answer) for answer in visit.answers]
    findings: dict[str, None] = {}
    for number, problems in enumerate(judged):
        for problem in problems:
            everywhere = len(judged) == 1 or all(problem in others for others in judged)
            findings[problem if everywhere else f"{problem} ({('first', 'second')[number]} request)"] = None
    return [Finding("page", visit.page.path, problem) for problem in findings]


def judge_asset(answer: Answer) -> list[Finding]:
    """Give what is wrong with a file that a page names."""
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


def _lengths(answer: Answer) -> str:
    announced = answer.declared_bytes
    return f"{len(answer.body)} bytes came{'' if announced is None else f' of {announced}'}"


def is_starting(page: Page, answer: Answer) -> bool:
    """Say whether an answer is that of a site that still starts: none at all, or a proxy's that finds nobody."""
    if answer.failure:
        return answer.transient
    return answer.status in STARTING and answer.status != page.status


def wait_for_answer(
    page: Page, get: Get, wait_seconds: float, clock: Callable[[], float], pause: Callable[[float], None]
) -> tuple[Answer, float]:
    """Ask for a page until the site answers or the time is over; give the last answer and the time before it."""
    begun = clock()
    while True:
        waited = clock() - begun
        answer = get(page.path)
        left = wait_seconds - (clock() - begun)
        if left <= 0 or not is_starting(page, answer):
            return answer, round(waited, 3)
        # A port that nobody listens on has no event to wait for.
        pause(min(POLL_SECONDS, left))


def following(site: Site, get: Get) -> Get:
    """Give a C(get) that follows redirects, as long as they stay on the site."""

    def follow(path: str) -> Answer:
        answer = get(path)
        for _hop in range(MAX_REDIRECTS):
            if answer.failure or answer.status not in REDIRECTS or "location" not in answer.headers:
                break
            target = path_on_site(site, answer.headers["location"], site.origin + answer.path)
            if target is None:
                break
            after = get(target)
            answer = dataclasses.replace(after, milliseconds=answer.milliseconds + after.milliseconds)
        return answer

    return follow


def visit(page: Page, get: Get, first: Answer | None = None, token: str = "") -> Visit:
    """Ask for a page twice: the first time may fill the site's page cache, the second time reads it.

    With a token, ask once more for a rendering past the cache, and compare.
    """
    first = first or get(page.path)
    if first.failure:
        return Visit(page, (first,))
    second = get(page.path)
    other = ""
    if token and second.status == page.status and second.is_html and not second.failure:
        other = difference(second, get(past_cache(page.path, token)), token)
    return Visit(page, (first, second), other)


def lasting(visits: list[Visit], most_seconds: int) -> list[Finding]:
    """Give the pages that browsers or proxies keep for longer than they should: no server can call those back."""
    return [
        Finding(
            "lifetime",
            one.page.path,
            f"may be kept by browsers and proxies for {kept} s, and nothing here can call that back: send "
            "Cache-Control: no-cache with an ETag, shorten cache_page, or raise html_max_age",
            "warning",
        )
        for one in visits
        if one.answers[-1].is_html and (kept := longest_seconds(one.answers[-1].headers)) > most_seconds
    ]


def differing(visits: list[Visit]) -> list[Finding]:
    """Give the pages whose cached copy is not what would be rendered now."""
    return [
        Finding("cached", one.page.path, f"is served as {one.difference}", "warning")
        for one in visits
        if one.difference
    ]


def assets_of(site: Site, visits: list[Visit]) -> list[str]:
    """Give the files that the pages name, each once; pages that are not what they should be name none."""
    found: dict[str, None] = {}
    for one in visits:
        for answer in one.answers:
            if answer.is_html and not answer.failure and answer.status == one.page.status:
                found.update(dict.fromkeys(find_assets(site, answer.path, answer.text)))
    return list(found)


def check(
    site: Site,
    pages: list[Page],
    get: Get,
    *,
    wait_seconds: float,
    max_assets: int,
    follow_redirects: bool,
    html_max_age: int,
    token: str = "",
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> Outcome:
    """Ask for all pages and the files that they name, whatever is wrong with the ones before, and judge them."""
    get_page = following(site, get) if follow_redirects else get
    first, waited = wait_for_answer(pages[0], get_page, wait_seconds, clock, pause)
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        firsts = [first, *[None] * (len(pages) - 1)]
        visits = list(pool.map(lambda page, answer: visit(page, get_page, answer, token), pages, firsts))
        named = assets_of(site, visits) if max_assets else []
        checked = named[:max_assets]
        # Judged in the worker, so that the bodies of all the files are not kept.
        judged = list(pool.map(lambda path: judge_asset(get(path)), checked))
    findings = [finding for one in visits for finding in judge_visit(one)]
    findings += [finding for some in judged for finding in some]
    findings += lasting(visits, html_max_age) + differing(visits)
    if len(named) > len(checked):
        problem = f"name {len(named)} files, of which only {len(checked)} were checked (see max_assets)"
        findings.append(Finding("assets", "The pages", problem, "warning"))
    return Outcome(visits, checked, findings, waited)
