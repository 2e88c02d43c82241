# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy has to do, and why: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._rules.change import Needs, some

#: Files that a result names behind each step; beyond these they are counted.
FILES_NAMED = 50


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
    #: What the files need that differ between what serves and the target; nothing when that can't be told.
    needs: Needs | None
    #: The containers have the checkout's code mounted, all of it or a folder, so that most of it needs no new image.
    code_mounted: bool
    always_build: bool
    force: bool
    #: Pages of a release that was undone may be in the caches.
    invalidation_pending: bool = False
    #: The app has a command that builds its front-end in the checkout.
    own_frontend: bool = False
    #: The branch was rewritten: what serves is no longer in it.
    rewritten: bool = False
    #: Services whose effective configuration is no longer what their containers were made with.
    reconfigured: tuple[str, ...] = ()
    #: Those of them whose image is now built in another way.
    rebuilt: tuple[str, ...] = ()
    #: Other services that are replaced, as was asked for.
    updates: tuple[str, ...] = ()
    #: Why images come from elsewhere that are others than those that run.
    newer_images: tuple[str, ...] = ()
    #: No image of the app is built here: all come from elsewhere.
    pulls: bool = False


@dataclasses.dataclass
class Plan:
    """Whether anything is to be done, what, and why."""

    deploy: bool = False
    build: bool = False
    #: What stands for a build is that images are pulled.
    pulls: bool = False
    reasons: list[str] = dataclasses.field(default_factory=list)
    build_reasons: list[str] = dataclasses.field(default_factory=list)
    #: The steps that the changed files need, each with why and the files behind it.
    steps: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: What is done beyond them.
    static_changed: bool = True
    frontend: bool = False
    translate: bool = False
    #: all, naming: pages that name a replaced static file, none.
    clear: str = "all"
    notices: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as plain data."""
        return dataclasses.asdict(self)


def _why(at: Situation) -> list[str]:
    """Return why something has to be done besides what the changed files need."""
    why = []
    if at.force:
        why.append("it was asked for")
    if at.last_failed:
        why.append("the last deploy did not end well")
    elif not at.serving_commit:
        why.append("no release of this app is recorded here yet")
    if at.invalidation_pending:
        why.append("the caches may hold pages of a release that was undone")
    if at.checkout_commit not in (at.target_commit, at.serving_commit or at.target_commit):
        why.append(f"the checkout is at {at.checkout_commit[:12]}")
    if at.not_running:
        why.append(f"no container runs for: {', '.join(at.not_running)}")
    elif at.serving_commit and not at.images_match:
        why.append("a container runs another image than the one that was deployed")
    if at.reconfigured:
        why.append(f"the configuration of {', '.join(at.reconfigured)} has changed (.env, or a compose file by hand)")
    if at.updates:
        why.append(f"{', '.join(at.updates)} is to be replaced ('update_services')")
    return [*why, *at.newer_images]


def _why_new(at: Situation) -> list[str]:
    if at.last_failed or not at.serving_commit or at.serving_commit == at.target_commit:
        return []
    rewritten = ", though the branch no longer has it" if at.rewritten else ""
    return [f"release {at.serving_commit[:12]} serves{rewritten}, {at.target_commit[:12]} is new"]


def _why_build(at: Situation) -> list[str]:
    if at.always_build:
        return [f"a deploy {'pulls' if at.pulls else 'builds'}, a quick deploy only when it must", *at.newer_images]
    if not at.serving_commit or at.last_failed:
        return ["there is no good release to take the image from"]
    if not at.images_match:
        return ["a container runs another image than the one that was deployed"]
    if at.rebuilt:
        return [f"the way that {', '.join(at.rebuilt)} is built has changed (.env, or a compose file by hand)"]
    if at.newer_images:
        return list(at.newer_images)
    if at.needs is None:
        return ["the commit that serves is gone from the repository, so what changed can't be told"]
    if files := at.needs.steps.get("build"):
        return [*([] if at.code_mounted else ["the code is in the image, not mounted"]), f"{some(files)} changed"]
    return []


def kinds_of(needs: Needs) -> str:
    """Return what changed, as kinds of files with the first of each."""
    return "; ".join(f"{kind}: {some(files)}" for kind, files in sorted(needs.kinds.items()))


def make(at: Situation) -> Plan:
    """Decide what to do."""
    why, new = _why(at), _why_new(at)
    needs = at.needs
    notices = needs.notices if needs else []
    if not why and not new:
        return Plan(pulls=at.pulls, reasons=[f"{at.target_commit[:12]} serves already"])
    if not why and needs is not None and not needs.steps and not at.always_build:
        reason = f"nothing changed that the site reads since {at.serving_commit[:12]}"
        reasons = [f"{reason} ({kinds_of(needs)})" if needs.kinds else reason]
        return Plan(pulls=at.pulls, reasons=reasons, notices=notices)
    # Where more is wrong than that a commit came, everything that can be old is made new.
    all_of_it = bool(why) or needs is None or at.always_build
    wanted = set(needs.steps) if needs else set()
    why_build = _why_build(at)
    if all_of_it or "clear" in wanted:
        clear = "all"
    else:
        clear = "naming" if "clear_naming" in wanted else "none"
    return Plan(
        deploy=True,
        build=bool(why_build),
        pulls=at.pulls,
        reasons=[*why, *new],
        build_reasons=why_build,
        steps=_steps(needs) if needs else [],
        static_changed=all_of_it or "collect" in wanted,
        frontend=at.own_frontend and at.code_mounted and (all_of_it or bool(wanted & {"frontend", "clear"})),
        translate=at.code_mounted and ("translate" in wanted or needs is None),
        clear=clear,
        notices=notices,
    )


def _steps(needs: Needs) -> list[dict[str, t.Any]]:
    found = []
    for step, files in needs.steps.items():
        kinds = sorted(kind for kind, of_kind in needs.kinds.items() if set(of_kind) & set(files))
        found.append({"step": step, "why": ", ".join(kinds), "files": files[:FILES_NAMED], "count": len(files)})
    return found
