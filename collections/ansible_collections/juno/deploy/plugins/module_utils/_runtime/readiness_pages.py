# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the verification, which a new container is asked for before visitors come. Private to juno.deploy.

Each is asked for past the page cache. A text on it may still come from what the old release has cached of parts of a
page; so it counts only where the release has a cache of its own, or the page that serves is not wrong in the same way.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import socket
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, http
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, Site
from ansible_collections.juno.deploy.plugins.module_utils._verify import model
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import past_cache

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

AT_A_TIME = 4
PAGE_SECONDS = 10.0
HTTPS = "https"

#: Gives an answer to a path.
Get = t.Callable[[str], Answer]
#: Gives the answers of what serves, by path; none where nothing serves.
Serving = t.Callable[[], "dict[str, Answer]"]


def say_nothing() -> None:
    """Do nothing, where nobody wants to be told."""


@dataclasses.dataclass(frozen=True)
class PageChecks:
    """What is asked, and as whom."""

    pages: tuple[model.Page, ...]
    host: str
    forwarded_proto: str = ""
    #: The new release reads nothing that the old one has cached.
    own_cache: bool = False
    #: The release that serves, in words.
    serving: str = "what serves"


def parse(listed: Iterable[dict[str, t.Any]]) -> tuple[model.Page, ...]:
    """Read pages as the inventory has them, each with what it leaves out.

    :raises BadInputError: a page of them makes no sense.
    """
    whole = [{"status": 200, "contains": [], "excludes": [], **one} for one in listed]
    return tuple(model.parse_pages(whole)) if whole else ()


def getter(address: str, port: int, questions: PageChecks, seconds: float = PAGE_SECONDS, scheme: str = "http") -> Get:
    """Return what asks a container for a path as a visitor would."""
    place = f"[{address}]" if ":" in address else address
    proto = questions.forwarded_proto
    site = Site(f"{scheme}://{place}:{port}", scheme, address, port, questions.host, proto, seconds)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    where: list[http.Address] = [(family, socket.SOCK_STREAM, 0, "", (address, port))]
    return lambda path: http.fetch(site, where, path)


def ask(get: Get, pages: Iterable[model.Page], token: str) -> dict[str, Answer]:
    """Ask for pages past the cache, a few at a time; return the answers by the pages' own paths."""
    paths = list(dict.fromkeys(page.path for page in pages))
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = pool.map(lambda path: get(past_cache(path, token)), paths)
        return dict(zip(paths, answers))  # noqa: B905 - strict came with Python 3.10


def problem(page: model.Page, answer: Answer, old: Answer | None, *, own_cache: bool) -> str:
    """Return what is wrong with an answer, as the rest of a sentence that the page begins; nothing if it may be right.

    :param old: the same page as it serves.
    """
    found = model.judge_answer(page, answer)
    if not found or answer.failure or answer.status != page.status or own_cache:
        return found[0] if found else ""
    if old is None or old.failure or old.status != page.status:
        return ""  # what is cached of it can't be known: the verification decides, after the caches were cleared
    known = model.judge_answer(page, old)
    return next((one for one in found if one not in known), "")


def explain(page: model.Page, answer: Answer, wrong: str, old: Answer | None, questions: PageChecks) -> str:
    """Return what is wrong with a page and what to do, with the name of the option that it may hang on."""
    said, cure, setting = (
        f"{page.path} {wrong}",
        "correct the commit, or 'pages'",
        "'pages'",
    )
    if answer.status == 400 and not answer.failure:
        said = f"{page.path}, asked as Host '{questions.host}', answered 400"
        setting = "'headers' (Host: a name in ALLOWED_HOSTS)"
        cure = f"name that host in ALLOWED_HOSTS, or set {setting}"
    elif leads_to_https(answer) and questions.forwarded_proto != HTTPS:
        said, setting = f"{page.path} answered {answer.status}, to https", "'headers' (X-Forwarded-Proto: https)"
        cure = f"set {setting}, so that it is asked as a request that came by TLS"
    elif check_headers.hint(answer.status, answer.headers):
        return said  # which says what to do
    if old is not None and not old.failure and old.status == answer.status != page.status:
        return f"{said}; {questions.serving} answers so too, so it is not the commit that is wrong: set {setting}"
    wanted = "" if wrong in said or answer.status == page.status else f" instead of {page.status}"
    return f"{said}{wanted}; {cure}"


def leads_to_https(answer: Answer) -> bool:
    """Return whether an answer sends a visitor to https."""
    return answer.status in model.REDIRECTS and answer.headers.get("location", "").startswith("https://")


class Visit:
    """One container's pages, asked for until they are right or will not get so."""

    def __init__(self, get: Get, questions: PageChecks, serving: Serving, token: Callable[[], str]) -> None:
        self.get, self.questions, self.serving, self.token = get, questions, serving, token
        self.left = list(questions.pages)
        #: What was wrong last may pass by itself: no answer, or one of an app that still starts.
        self.may_pass = False

    def wrong(self) -> str:
        """Ask for what was not right yet; return what is wrong with the first page that is not, and what to do."""
        answers = ask(self.get, self.left, self.token())
        judged = [(page, self._judge(page, answers[page.path])) for page in self.left]
        self.left = [page for page, wrong in judged if wrong]
        asked = [answers[page.path] for page in self.left]
        self.may_pass = all(bool(one.failure) or one.status >= 500 for one in asked)
        return next((wrong for _page, wrong in judged if wrong), "")

    def _judge(self, page: model.Page, answer: Answer) -> str:
        if not model.judge_answer(page, answer):
            return ""
        old, own_cache = self.serving().get(page.path), self.questions.own_cache
        wrong = problem(page, answer, old, own_cache=own_cache)
        if not wrong:
            return ""
        if not answer.failure and answer.status != page.status and (old is None or old.status == answer.status):
            # It may be our query that it takes amiss.
            plain = self.get(page.path)
            if not problem(page, plain, old, own_cache=own_cache):
                return ""
        return explain(page, answer, wrong, old, self.questions)


def notice(questions: PageChecks, get: Get) -> str:
    """Return how what serves answers the first page, where that hangs on a variable; nothing where it doesn't."""
    page = questions.pages[0]
    answer = get(page.path)
    if answer.failure or answer.status == page.status:
        return ""
    if answer.status == 400:
        return (
            f"{questions.serving} answers {page.path} with 400 as Host '{questions.host}': unless this commit mends "
            "that, set 'headers' (Host: a name in ALLOWED_HOSTS)"
        )
    if leads_to_https(answer) and questions.forwarded_proto != HTTPS:
        return (
            f"{questions.serving} answers {page.path} with {answer.status}, to https: unless this commit changes that, "
            "set 'headers' (X-Forwarded-Proto: https)"
        )
    told = f"{questions.serving} answers {page.path} with {answer.status} instead of {page.status}"
    login = check_headers.hint(answer.status, answer.headers)
    if login:
        return f"{told}: {login}"
    where = answer.headers.get("location", "") if 300 <= answer.status < 400 else ""
    led = f", and leads to {where}" if where else ""
    return f"{told}{led}: unless this commit changes that, name in 'pages' one that answers, or its status"
