# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verification: what a site is asked for, and in which order. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._verify import ask as verify_ask
from ansible_collections.juno.deploy.plugins.module_utils._verify import findings as verify_findings
from ansible_collections.juno.deploy.plugins.module_utils._verify import sitemap as verify_sitemap
from ansible_collections.juno.deploy.plugins.module_utils._verify.assets import find_assets
from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Seen
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import past_cache
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import (
    LOG,
    SITEMAP,
    Direct,
    Finding,
    Page,
    Visit,
)
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify_spec import VerifyOutcome, VerifySpec

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site
    from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Endpoint
    from ansible_collections.juno.deploy.plugins.module_utils._verify.manifest import Manifest
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Get

    Open = Callable[[Site], Get]

Answer = t.TypeVar("Answer")
CONNECTIONS = 4
#: How far it is with many pages or files, is told so often.
TELL_SECONDS = 1


@dataclasses.dataclass(frozen=True)
class Found:
    """A page that nobody configured; no visit: the time was over before it was its turn."""

    visit: Visit | None
    directs: tuple[Direct, ...] = ()


class _Progress:
    """How far it is with asking for many things of a kind."""

    def __init__(self, total: int, what: str) -> None:
        self.total, self.what, self.asked = total, what, itertools.count(1)
        if total:
            events.tell(f"asks for {total} {what}")

    def with_one(self, answer: Answer) -> Answer:
        """Return an answer on, and tell that it has come."""
        events.tell(f"has asked for {next(self.asked)} of {self.total} {self.what}", after_seconds=TELL_SECONDS)
        return answer


class Verification:
    """One verification of one site; C(opened) gives what asks a site for a path."""

    def __init__(
        self, site: Site, spec: VerifySpec, opened: Open, clock: Callable[[], float], pause: Callable[[float], None]
    ) -> None:
        self.site = site
        self.spec = spec
        self.opened = opened
        self.clock = clock
        self.pause = pause
        self.deadline = 0.0

    def check(self, look: Callable[[], Seen] | None = None) -> VerifyOutcome:
        """Ask for everything, whatever is wrong with what came before, and judge it.

        :raises JunoError: C(look), which asks the Engine, did.
        """
        spec, get = self.spec, self.get(self.site)
        events.tell(f"asks for {spec.pages[0].path}")
        first, waited = verify_ask.wait_for_answer(spec.pages[0], get, spec.wait_seconds, self.clock, self.pause)
        self.deadline = self.clock() + spec.found_seconds
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            looking = pool.submit(look or Seen)
            reading = pool.submit(self.read_sitemap, wanted=not first.failure)
            firsts = [first, *[None] * (len(spec.pages) - 1)]
            compared = ", also past the cache, and compares" if spec.token else ""
            events.tell(f"asks twice for {count(spec.pages, 'page')}{compared}")
            visits = list(
                pool.map(lambda page, answer: verify_ask.visit(page, get, answer, spec.token), spec.pages, firsts)
            )
            seen = looking.result()
            if seen.endpoints:
                events.tell(f"asks {count(seen.endpoints, 'container')} for {count(spec.pages, 'page')}")
            asking = [
                pool.submit(self.ask, at, self.get(self.at(at)), page) for page in spec.pages for at in seen.endpoints
            ]
            mapped, problems = reading.result()
            pages = found_pages(mapped, () if first.failure else seen.log_pages)
            self.deadline = self.clock() + spec.found_seconds
            so_far = _Progress(len(pages), "pages of the sitemap and the log")
            found = list(pool.map(lambda page: so_far.with_one(self.visit_found(page, seen.endpoints)), pages))
            directs = [one.result() for one in asking] + [direct for one in found for direct in one.directs]
            others = [one.visit for one in found if one.visit]
            assets = self.check_assets(pool, visits, others)
            visits += others
            replaced = self.check_replaced(pool, seen.manifest, assets, visits)
        late = verify_findings.of_time(spec.found_seconds, sum(one.visit is None for one in found), assets.late)
        findings = [*self.judge(pages, visits, directs, assets), *replaced, *problems, *seen.findings, *late]
        findings.sort(key=lambda one: one.level != "error")
        return VerifyOutcome(visits, assets.asked, findings, waited, directs, seen)

    def judge(
        self, found: list[Page], visits: list[Visit], directs: list[Direct], assets: verify_findings.Assets
    ) -> list[Finding]:
        """Return what is wrong with the answers; with a page of the sitemap it is an error only where it was right."""
        spec, before = self.spec, self.spec.answered_before
        doubtful = {
            one.path for one in found if one.source == SITEMAP and before is not None and one.path not in before
        }
        return [
            *verify_findings.softened(verify_findings.of_answers(spec.mark, visits, directs, assets), doubtful),
            *verify_findings.of_pages(visits, spec.html_max_age),
            *verify_findings.of_number(assets),
        ]

    def get(self, site: Site) -> Get:
        """Return what asks a site for a configured page."""
        get = self.opened(site)
        return verify_ask.following(site, get) if self.spec.follow_redirects else get

    def get_in_time(self, site: Site) -> Get:
        """Return what asks a site for something that nobody configured."""
        get = verify_ask.within(self.deadline, self.clock, site, self.opened)
        return verify_ask.following(site, get) if self.spec.follow_redirects else get

    def at(self, endpoint: Endpoint) -> Site:
        """Return the site as a container serves it: without TLS, but with the same name and the visitors' scheme."""
        site = self.site
        address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
        return dataclasses.replace(
            site,
            base_url=f"{endpoint.scheme}://{address}:{endpoint.port}",
            scheme=endpoint.scheme,
            hostname=endpoint.address,
            port=endpoint.port,
            forwarded_proto=site.forwarded_proto or ("https" if site.scheme == "https" else ""),
        )

    def ask(self, endpoint: Endpoint, get: Get, page: Page, front: int = 0) -> Direct:
        """Ask a container for a page."""
        return Direct(page, endpoint.container, get(page.path), front)

    def read_sitemap(self, *, wanted: bool) -> tuple[list[str], list[Finding]]:
        """Return the pages of the sitemap and what is to say about it."""
        spec = self.spec
        if not wanted or not spec.sitemap_pages:
            return [], []
        site = dataclasses.replace(self.site, max_body_bytes=verify_sitemap.MOST_BYTES)
        get = verify_ask.following(site, verify_ask.within(self.deadline, self.clock, site, self.opened))
        return verify_sitemap.find(site, get, spec.sitemap, spec.sitemap_pages, spec.paths)

    def visit_found(self, page: Page, endpoints: tuple[Endpoint, ...]) -> Found:
        """Ask for a page that nobody configured, at the front door and at each container, while there is time."""
        if self.clock() >= self.deadline:
            return Found(None)
        visit = verify_ask.visit(page, self.get_in_time(self.site), token=self.spec.token)
        if visit.answers[-1].failure:
            return Found(visit)
        front = visit.answers[-1].status
        directs = (self.ask(endpoint, self.get_in_time(self.at(endpoint)), page, front) for endpoint in endpoints)
        return Found(visit, tuple(one for one in directs if not one.answer.timed_out))

    def check_assets(
        self, pool: concurrent.futures.Executor, visits: list[Visit], found: list[Visit]
    ) -> verify_findings.Assets:
        """Ask for the files that pages name; those of pages that nobody configured while there is time."""
        if not self.spec.max_assets:
            return verify_findings.Assets()
        mine = assets_of(self.site, visits)
        named = list(dict.fromkeys([*mine, *assets_of(self.site, found)]))
        chosen = named[: self.spec.max_assets]
        get, in_time = self.opened(self.site), self.get_in_time(self.site)
        number = len(mine)
        so_far = _Progress(len(chosen), "files that the pages name")
        # Judged in the worker, so that the bodies of all the files are not kept.
        judged = pool.map(
            lambda at: so_far.with_one(
                verify_findings.judge_file(at[1], get if at[0] < number else in_time, sure=at[0] < number)
            ),
            enumerate(chosen),
        )
        return verify_findings.Assets(len(named), len(chosen), tuple(judged))

    def check_replaced(
        self,
        pool: concurrent.futures.Executor,
        manifest: Manifest | None,
        assets: verify_findings.Assets,
        visits: list[Visit],
    ) -> list[Finding]:
        """Judge files that the manifest has no longer by fresh renderings of the pages that name them."""
        files = verify_findings.replaced(manifest, assets)
        if not manifest or not files:
            return []
        token = self.spec.token or uuid.uuid4().hex
        events.tell(f"asks again for pages that name {count(files, 'replaced file')}")
        get = self.get(self.site)

        def old_file(visit: Visit) -> str:
            named = [path for path in assets_of(self.site, [visit]) if path in files]
            if not named:
                return ""
            # Another query than that of the comparison, which may have been cached since.
            fresh = get(past_cache(visit.page.path, f"{token}3"))
            if not fresh.is_html or not visit.page.is_shown_by(fresh):
                return ""
            still = find_assets(self.site, visit.page.path, fresh.text)
            return next((path for path in named if path not in still), "")

        old = pool.map(lambda one: (one.page.path, old_file(one)), visits)
        return verify_findings.of_replaced(manifest, files, {page: file for page, file in old if file})


def count(things: t.Sized, what: str) -> str:
    """Return a number of things in words."""
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def found_pages(mapped: t.Iterable[str], logged: t.Iterable[str]) -> list[Page]:
    """Return the pages that nobody configured, each once, those of the sitemap first."""
    pages = {path: Page(path, source=SITEMAP) for path in mapped}
    return [*pages.values(), *(Page(path, source=LOG) for path in logged if path not in pages)]


def assets_of(site: Site, visits: list[Visit]) -> list[str]:
    """Return the files that the pages name, each once; pages that are not what they should be name none."""
    found: dict[str, None] = {}
    for one in visits:
        for answer in one.answers:
            if answer.is_html and one.page.is_shown_by(answer):
                found.update(dict.fromkeys(find_assets(site, answer.path, answer.text)))
    return list(found)
