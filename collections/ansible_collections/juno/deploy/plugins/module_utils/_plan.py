# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy has to do, and why: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

#: Files that go into an image, where the code itself is bind-mounted: a change of one needs a build.
IMAGE_FILES = (
    "Dockerfile*",
    "*.dockerfile",
    ".dockerignore",
    "compose.y*ml",
    "compose.*.y*ml",
    "docker-compose*.y*ml",
    "requirements*.txt",
    "requirements*.in",
    "constraints*.txt",
    "Pipfile*",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "tailwind.config.*",
    "postcss.config.*",
    "*entrypoint*",
)
#: Requirements are also kept in a folder of that name.
IMAGE_FOLDERS = ("requirements",)


@dataclasses.dataclass(frozen=True)
class Situation:
    """What the plan is made from."""

    checkout_commit: str
    target_commit: str
    #: The newest release's commit, if it went well.
    serving_commit: str
    #: Releases were recorded, and the newest one did not go well.
    last_failed: bool
    #: Services of the app without a running container.
    not_running: tuple[str, ...]
    #: The app's own containers run the images that the newest release recorded.
    images_match: bool
    #: Files that differ between what serves and the target; nothing when that can't be told.
    changed: tuple[str, ...] | None
    #: The containers see the checkout itself, so that new code needs no new image.
    code_mounted: bool
    always_build: bool
    force: bool
    #: Pages of a release that was given up may be in the caches.
    caches_owed: bool = False


@dataclasses.dataclass
class Plan:
    """Whether anything is to be done, what, and why."""

    deploy: bool = False
    build: bool = False
    reasons: list[str] = dataclasses.field(default_factory=list)
    build_reasons: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, t.Any]:
        """Give it as plain data."""
        return dataclasses.asdict(self)


def in_image(name: str) -> bool:
    """Say whether a file goes into the image even where the code is bind-mounted."""
    folder, _slash, base = name.rpartition("/")
    if any(fnmatch.fnmatchcase(base, pattern) for pattern in IMAGE_FILES):
        return True
    return bool(folder) and folder.rpartition("/")[2] in IMAGE_FOLDERS


def _why(at: Situation) -> list[str]:
    why = []
    if at.force:
        why.append("it was asked for")
    if at.last_failed:
        why.append("the last deploy did not end well")
    elif not at.serving_commit:
        why.append("no release of this app is recorded here yet")
    elif at.serving_commit != at.target_commit:
        why.append(f"release {at.serving_commit[:12]} serves, {at.target_commit[:12]} is new")
    if at.caches_owed:
        why.append("the caches may hold pages of a release that was given up")
    if at.checkout_commit != at.target_commit:
        why.append(f"the checkout is at {at.checkout_commit[:12]}")
    if at.not_running:
        why.append(f"no container runs for: {', '.join(at.not_running)}")
    elif at.serving_commit and not at.images_match:
        why.append("a container runs another image than the one that was deployed")
    return why


def _why_build(at: Situation) -> list[str]:
    if at.always_build:
        return ["a deploy builds, a quick deploy only when it must"]
    if not at.code_mounted:
        return ["the code is in the image, not mounted"]
    if not at.serving_commit or at.last_failed:
        return ["there is no good release to take the image from"]
    if not at.images_match:
        return ["a container runs another image than the one that was deployed"]
    if at.changed is None:
        return ["the commit that serves is gone from the repository, so what changed can't be told"]
    return [f"{name} changed" for name in at.changed if in_image(name)]


def make(at: Situation) -> Plan:
    """Decide what to do."""
    why = _why(at)
    if not why:
        return Plan(reasons=[f"{at.target_commit[:12]} serves already"])
    why_build = _why_build(at)
    return Plan(deploy=True, build=bool(why_build), reasons=why, build_reasons=why_build)
