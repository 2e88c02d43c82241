# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a site is asked for a page. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify.assets import path_on_site
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import (
    can_be_compared,
    difference,
    past_cache,
)
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import REDIRECTS, Page, Visit, is_starting

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Get

POLL_SECONDS = 0.2
MAX_REDIRECTS = 5


def wait_for_answer(
    page: Page, get: Get, wait_seconds: float, clock: Callable[[], float], pause: Callable[[float], None]
) -> tuple[Answer, float]:
    """Ask for a page until the site answers or the time is over; return the last answer and the time before it."""
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
    """Return a C(get) that follows redirects, as long as they stay on the site."""

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


def within(deadline: float, clock: Callable[[], float], site: Site, opened: Callable[[Site], Get]) -> Get:
    """Return a C(get) whose requests end at the deadline; one that would begin after it is not made."""

    def get(path: str) -> Answer:
        left = deadline - clock()
        if left <= 0:
            return Answer(path, failure="no time was left", timed_out=True)
        return opened(dataclasses.replace(site, timeout_seconds=min(site.timeout_seconds, left)))(path)

    return get


def visit(page: Page, get: Get, first: Answer | None = None, token: str = "") -> Visit:
    """Ask for a page twice: the first time may fill the site's page cache, the second time reads it.

    With a token, ask for a rendering past the cache too, and compare; where they differ ask for one more of these,
    since a page may differ from itself.
    """
    first = first or get(page.path)
    if first.failure:
        return Visit(page, (first,))
    second = get(page.path)
    other = ""
    if token and page.is_shown_by(second) and can_be_compared(second):
        fresh = get(past_cache(page.path, token))
        other = difference(second, fresh, token)
        if other:
            again = f"{token}2"
            other = difference(second, fresh, token, get(past_cache(page.path, again)), again)
    return Visit(page, (first, second), other)
