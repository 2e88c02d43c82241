# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what serves is what the journal says: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, left_over
from ansible_collections.juno.deploy.plugins.module_utils._base.text import docs_page
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout as git_checkout
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.plugins.module_utils._status import image_name, release_words, status_services

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container


#: A deploy of what serves already has nothing to do unless it is told to.
ANYHOW = "deploy again with 'force: true'"
WHY = "see the playbook juno.deploy.logs for why"


@dataclasses.dataclass(frozen=True)
class Checkout:
    """The app's git checkout as it lies there."""

    commit: str
    subject: str
    dirty: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ProxyFiles:
    """What the host's files say of the proxy."""

    #: The compose override puts it before the app.
    expected: bool = False
    maintenance: bool = False


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was found on the host."""

    path: str
    #: The services that run the app's code, the one with the site first.
    services: tuple[str, ...]
    entries: list[journal.Entry]
    #: The project's containers, stopped ones too; nothing when the Engine could not be asked.
    containers: list[Container] | None
    #: Names of images by their id.
    tags: dict[str, tuple[str, ...]]
    #: Nothing when it could not be read.
    checkout: Checkout | None
    #: What could not be looked at, each a sentence.
    problems: tuple[str, ...] = ()
    #: The deployer that is at work, as C(_status.survey.at_work) tells of it; empty when nobody is.
    deployer: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    proxy: ProxyFiles = ProxyFiles()
    #: What the compose file says of each service; nothing when it could not be read.
    wanted: dict[str, status_services.Wanted] = dataclasses.field(default_factory=dict)
    #: What the Engine says of each container by its id.
    details: dict[str, status_services.Detail] = dataclasses.field(default_factory=dict)
    now: float = 0.0
    left_over: list[Container] = dataclasses.field(default_factory=list)  #: Of services that no compose file has.

    @property
    def at_work(self) -> bool:
        """Return whether a deployer is at work on the app right now, with its controller or without."""
        return bool(self.deployer)

    @property
    def interrupted(self) -> journal.Entry | None:
        """Return the release that an interrupted deploy left, if one did."""
        return None if self.at_work else journal.interrupted(self.entries)

    @property
    def proxies(self) -> list[Container]:
        """Return the proxy's containers."""
        return [one for one in self.containers or [] if one.service == proxy_names.SERVICE]


@dataclasses.dataclass(frozen=True)
class Served:
    """The release that a container runs, as far as that can be told."""

    #: 0 when no release recorded this image.
    number: int
    commit: str
    #: The image by its most telling name.
    image: str

    def words(self) -> str:
        """Return it in a few words."""
        commit = self.commit[:12] or "commit unknown"
        return f"release {self.number}, {commit}" if self.number else f"no recorded release, {commit}"


def _has_image(one: Container, tagged: t.Collection[str], entry: journal.Entry) -> bool:
    """Return whether the image of a container, named after the commits in C(tagged), is that of a release."""
    recorded = entry.images.get(one.service) == one.image_id
    if entry.outcome == "done":
        return recorded
    # What ran when a release failed may be older than it, and one that was cut off wrote nothing down.
    began = lock.seconds_of(entry.started)
    return began is not None and one.created >= began and (recorded or entry.commit[:12] in tagged)


def served(one: Container, seen: Seen) -> Served:
    """Find the release and the commit that a container runs: by the journal, else by the name of its image."""
    names = seen.tags.get(one.image_id, ())
    # Of juno-COMMIT and juno-COMMIT-NUMBER the first says enough.
    named = sorted((name for name in names if ":juno-" in name), key=len, reverse=True)
    tagged = {name.rpartition(":juno-")[2].partition("-")[0]: name for name in named}
    # Nothing runs what was undone, though its image and its containers' names may look like it.
    entries = [entry for entry in reversed(seen.entries) if not entry.undone]
    # A person's "docker compose up" makes a container that no release knows, of an image that one does.
    by_id = (entry for entry in entries if one.id in entry.containers)
    by_image = (entry for entry in entries if _has_image(one, tagged, entry))
    entry = next(by_id, None) or next(by_image, None)
    commit = entry.commit if entry else next(iter(tagged), "")
    return Served(entry.number if entry else 0, commit, image_name.of(one, names, commit))


def _about_journal(seen: Seen) -> list[str]:
    if not seen.entries:
        return [f"{release_words.NO_RELEASE}: deploy it."]
    newest = seen.entries[-1]
    named = f"The last {newest.purpose} ({release_words.deploy_words(newest)})"
    if newest.outcome == "started":
        if newest.step == "verified":
            return [f"{named} serves and is verified, but ended before it had tidied up: the next deploy does that."]
        ended = f"{named} ended at the step '{newest.step}' without a word, interrupted"
        return [f"{ended}: deploy again, which picks it up."]
    if newest.outcome == "done" or journal.serving(seen.entries):
        return []
    undone = ", was undone, and no release went well before it" if newest.undone else ""
    return [f"{named} {release_words.why_failed(newest)}{undone}: correct the cause and deploy again."]


def _about_caches(seen: Seen) -> list[str]:
    pending = journal.invalidation_pending(seen.entries)
    return (
        ["The caches may hold pages of a release that was undone: deploy again, which clears them."] if pending else []
    )


def _about_service(seen: Seen, service: str, mine: list[Container]) -> list[str]:
    running = [one for one in mine if one.state == "running"]
    others = [one for one in mine if one.state != "running"]
    if not running:
        there = ", ".join(f"{one.name}: {one.status or one.state}" for one in others)
        cure = f"{WHY}, then deploy again" if there else "deploy again"
        return [f"No container of '{service}' runs ({there or 'none is there'}): {cure}."]
    found = [
        f"The container {one.name} of '{service}' runs, but its health check fails: {WHY}."
        for one in running
        if "(unhealthy)" in one.status
    ]
    for one in running:
        again = status_services.restarted(one, seen.details.get(one.id, status_services.Detail()), seen.now)
        found += [f"The container {one.name} of '{service}' {again}: {WHY}."] if again else []
    if seen.interrupted:
        return found  # what else there is belongs to what is interrupted
    found += [
        f"The container {one.name} of '{service}' does not run ({one.status or one.state}), others do: "
        f"{WHY}, then {ANYHOW}."
        for one in others
    ]
    newest = journal.serving(seen.entries)
    return found + (_unlike(seen, newest, service, running) if newest else [])


def _unlike(seen: Seen, newest: journal.Entry, service: str, running: list[Container]) -> list[str]:
    """Name what runs and is not what the newest release recorded."""
    image = newest.images.get(service)
    but = "recorded another image" if image else f"recorded none for '{service}'"
    found = []
    for one in running:
        if one.image_id != image:
            runs = served(one, seen)
            what = f"runs {runs.image} ({runs.words()}), but release {newest.number} {but}"
            found.append(f"The container {one.name} {what}: deploy again.")
    # Not by their ids: a container that a person let compose recreate is as good as the one before.
    like = [one.name for one in running if one.image_id == image]
    started = list(newest.containers.values()).count(service)
    if started and len(like) > started:
        found.append(
            f"{len(like)} containers of '{service}' run ({', '.join(like)}), but release {newest.number} started "
            f"{started}: if that many are wanted, say so in the compose file (deploy.replicas), else {ANYHOW}."
        )
    return found


def _about_proxy(seen: Seen) -> list[str]:
    running = any(one.state == "running" for one in seen.proxies)
    found = []
    if seen.proxy.expected and not running:
        there = ", ".join(f"{one.name}: {one.status or one.state}" for one in seen.proxies) or "none is there"
        found.append(
            f"No container of the proxy runs ({there}), so nobody is answered: docker compose up -d "
            f"{proxy_names.SERVICE} in {seen.path}, then see docker compose logs {proxy_names.SERVICE} for why."
        )
    elif running and not seen.proxy.expected:
        found.append(
            f"The proxy runs, but the {compose.OVERRIDE_NAME} that puts it before the app is gone: {ANYHOW}, "
            f"or take the proxy away as {docs_page('strategies')} says."
        )
    return found


def _about_checkout(seen: Seen) -> list[str]:
    at = seen.checkout
    if at is None:
        return []
    found = []
    newest = journal.serving(seen.entries) or (seen.entries[-1] if seen.entries else None)
    if newest and newest.undone:
        newest = None  # no release went well, and the checkout is what it was before the first
    last = journal.last_done(seen.entries)
    # It may have ended before the checkout was moved.
    expected = [one.commit for one in (newest, last) if one]
    if newest and at.commit not in expected:
        found.append(
            f"The checkout {seen.path} is at {at.commit[:12]}, but release {newest.number} deployed "
            f"{newest.commit[:12]}: somebody moved it by hand; deploy again."
        )
    if at.dirty:
        found.append(
            f"The checkout {seen.path} has locally modified files ({git_checkout.some(list(at.dirty))}), and a deploy "
            "will stop at them: commit and push them, or set them back with git restore."
        )
    return found


def judge(seen: Seen) -> list[str]:
    """Name each thing that is not as the journal says, with what to do; nothing when all agree."""
    if seen.at_work:
        return list(seen.problems)  # all else is on the move
    found = [*seen.problems, *_about_journal(seen), *_about_caches(seen)]
    if seen.containers is not None:
        for service in seen.services:
            found += _about_service(seen, service, [one for one in seen.containers if one.service == service])
        found += _about_proxy(seen)
        for service, wanted in seen.wanted.items():
            if service not in (*seen.services, proxy_names.SERVICE):
                there = [one for one in seen.containers if one.service == service]
                found += status_services.about(seen.path, service, wanted, there, seen.details, seen.now)
        # One that has ended is in the table only.
        found += [f"{one}." for one in left_over.words(one for one in seen.left_over if one.state == "running")]
    return found + _about_checkout(seen)
