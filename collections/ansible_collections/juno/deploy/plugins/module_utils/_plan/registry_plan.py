# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the registries have for the services of the app that are not built here. Private to juno.deploy.

A name like ghcr.io/me/shop:latest means another image whenever somebody pushes one, which git doesn't tell. So its
registry is asked for the digest, and a release takes exactly that image.
"""

from __future__ import annotations

import dataclasses
import os
import pwd
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    engine,
    pull_policy,
    registry_logins,
    release_override,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._rules.change import Needs

#: Who may not, or asks for what is not there, gets one of these statuses; or another one, with one of these words.
REFUSED = (401, 403, 404)
REFUSED_WORDS = ("credentials", "unauthorized", "denied", "authentication")
SHOWN = len("sha256:") + 12


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a registry says of an image: its digest, else why not."""

    digest: str = ""
    cause: str = ""
    #: That of the refusal; 0 where the registry said nothing.
    status: int = 0

    @property
    def refused(self) -> bool:
        """Whether the registry has answered that there is nothing for who asks."""
        return self.status in REFUSED or any(word in self.cause.lower() for word in REFUSED_WORDS)


@dataclasses.dataclass(frozen=True)
class RegistryImages:
    """The images of the app that are not built here."""

    #: What the build step takes by service: REPOSITORY@DIGEST, or the id of the one that is here.
    taken: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Why another image comes than the one that runs.
    newer: tuple[str, ...] = ()
    #: No image of the app is built here, and not all were made here by hand.
    all_of_them: bool = False


def parts(image: str) -> tuple[str, str]:
    """Return the registry of an image, as docker login is told it, and its repository there."""
    repository = release_override.split_image(image.partition("@")[0])[0]
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return registry_logins.HUB, repository if slash else f"library/{repository}"


def is_official(image: str) -> bool:
    """Return whether a name is of those that Docker gives: one's own image is called so only where it was made here."""
    registry, repository = parts(image)
    return registry == registry_logins.HUB and repository.startswith("library/")


def reference(image: str, digest: str) -> str:
    """Return the name of exactly the image with a digest."""
    return image if "@" in image else f"{release_override.split_image(image)[0]}@{digest}"


def is_asked(service: dict[str, t.Any], here: dict[str, t.Any]) -> bool:
    """Return whether the registry is asked for the image of a service.

    :param here: what the Engine tells of the image that has this name here, if any does.
    """
    image = service["image"]
    if pull_policy.of(service) in pull_policy.NEVER:
        return False
    if not here:
        return True
    # Without a digest it was built or loaded here.
    return bool(here.get("RepoDigests")) and not release_override.is_pinned(image) and not is_official(image)


def ask(app: App, config: dict[str, t.Any], known: dict[str, Answer]) -> dict[str, Answer]:
    """Ask for the images of a configuration that are to be asked for, each once.

    :param known: answers that are there already.
    """
    client, answers = engine.connect(app.docker_host), dict(known)
    for name in release_override.pulled(config, app.services):
        service = config["services"][name]
        image = service["image"]
        if image not in answers and is_asked(service, engine.image(client, image)):
            answers[image] = _answer(client, image)
    return answers


def _answer(client: t.Any, image: str) -> Answer:
    try:
        with engine.errors_as(image):
            return Answer(digest=client.api.inspect_distribution(image)["Descriptor"]["digest"])
    except EngineError as exc:
        why = exc.__cause__ or exc
        return Answer(cause=engine.cause(why), status=getattr(getattr(why, "response", None), "status_code", 0) or 0)


def look(
    app: App,
    config: dict[str, t.Any],
    containers: list[engine.Container],
    answers: dict[str, Answer],
    logged_in: Sequence[str] = (),
) -> RegistryImages:
    """Return which images a release takes that are not built here, and which of them are others than those that run.

    :param answers: those of the registries, for all images that are to be asked for.
    :param logged_in: the registries that the release has a login of its own for.
    :raises BadInputError: a registry gave none, or an image is to be here and is not.
    """
    client, services = engine.connect(app.docker_host), config["services"]
    taken, newer = {}, dict[str, None]()
    names = release_override.pulled(config, app.services)
    for name in names:
        image = services[name]["image"]
        here = engine.image(client, image)
        runs = {one.image_id for one in containers if one.service == name and one.state == "running"}
        digest = ""
        if is_asked(services[name], here):
            digest = answers[image].digest
            if not digest:
                with_it = [other for other in names if services[other]["image"] == image]
                raise refusal(image, with_it, answers[image], logged_in, is_here=bool(here))
        elif not here:
            raise BadInputError(
                f"The image {image} of '{name}' is not on this host, and its 'pull_policy' in the compose file is "
                f"{pull_policy.of(services[name])}; nothing was changed: load it (docker load), or leave that out."
            )
        taken[name] = reference(image, digest) if digest else here["Id"]
        why = _why_newer(client, image, digest, here, runs)
        if why:
            newer[why] = None
    builds = any(services[name].get("build") for name in release_override.of_the_app(config, app.services))
    return RegistryImages(taken, tuple(newer), not builds and any(map(release_override.is_pinned, taken.values())))


def _why_newer(client: t.Any, image: str, digest: str, here: dict[str, t.Any], runs: set[str]) -> str:
    """Return why another image comes than the one that runs, or nothing."""
    compared = [engine.image(client, one) for one in runs] or [here]
    is_it = bool(digest) and all(_has(one, digest) for one in compared)
    if not here:
        return f"nothing on this host has the name {image} any more" if is_it else f"{image} is not on this host yet"
    if digest and not is_it:
        return f"{image} is another image in its registry by now ({digest[:SHOWN]})"
    return f"{image} is another image on this host than the one that runs" if runs - {here["Id"]} else ""


def _has(facts: dict[str, t.Any], digest: str) -> bool:
    return any(one.endswith(f"@{digest}") for one in facts.get("RepoDigests") or [])


def refusal(
    image: str, services: list[str], answer: Answer, logged_in: Sequence[str], *, is_here: bool
) -> BadInputError:
    """Return that a registry doesn't tell which image it has, and what to do."""
    registry, whose = parts(image)[0], " and ".join(f"'{name}'" for name in services)
    if answer.refused and registry in logged_in:
        cure = f"correct the login for {registry} in 'registry_logins', or the name in the compose file"
    elif answer.refused:
        cure = f"log in on this host as {_user()} (docker login {registry}), or correct the name in the compose file"
    else:
        cure = f"see that this host reaches {registry}"
    if is_here:
        cure += ", or take the one that is here ('pull_policy: never' for it in the compose file)"
    return BadInputError(
        f"The registry of {image}, the image of {whose}, does not tell which one it has now ({answer.cause}); nothing "
        f"was changed: {cure}."
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"the user {os.geteuid()}"


def notices(images: RegistryImages, needs: Needs | None, compose_files: tuple[str, ...]) -> list[str]:
    """Return that a commit brings what only another image could have, where none has come."""
    files = [one for one in needs.steps.get("build", []) if one not in compose_files] if needs else []
    if not files or not images.all_of_them or images.newer:
        return []
    changed = f"{some(files)} changed, but the image is still the one that runs"
    return [f"{changed}: what of the commit is in the image comes when that has been pushed"]
