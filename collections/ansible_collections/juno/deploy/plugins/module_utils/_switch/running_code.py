# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new container has the code of the commit. Private to juno.deploy: no stable interface.

A volume over the code keeps what an earlier image had, and an image that is not built here has what it has: the deploy
would be done, and the old code would go on serving. A build may change files, so one that differs tells nothing by
itself: it does where it lies on a mount, or is still what the release before had.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._django.output import split_results
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._in_app import loaded_code
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._runtime import context

LOOK_SECONDS = 20
#: Tests and documents need no new image.
_RULES = rules.Rules()


@dataclasses.dataclass(frozen=True)
class Mount:
    """What lies over a folder of a container."""

    target: str
    #: In words, with its name.
    what: str
    cure: str


@dataclasses.dataclass(frozen=True)
class Commits:
    """The contents, as git names them, of the commit that is to serve and of the one that did, by path."""

    new: Mapping[str, str]
    #: Nothing where the image is not from this run: it may be older than the commit in what needs no build.
    old: Mapping[str, str]


def parse_tree(text: str) -> dict[str, str]:
    """Read C(git ls-tree -r -z): the name of each file's content by its path."""
    rows = [line.split("\t", 1) for line in text.split("\0") if "\t" in line]
    return {path: words.split()[2] for words, path in rows if words.split()[1] == "blob"}


def parse_mounts(inspected: Sequence[Mapping[str, t.Any]]) -> list[Mount]:
    """Read the mounts of the Engine's C(GET /containers/ID/json), the one that lies deepest first."""
    found = []
    for one in inspected:
        target = one["Destination"].rstrip("/")
        if one.get("Type") == "volume":
            what = f"the volume {one.get('Name', '')[:40]}"
            cure = "take it out of the compose file, since code belongs into the image or a bind mount"
        else:
            what = f"{one.get('Source', '')} of the host"
            cure = "mount the app's own checkout there, or nothing"
        found.append(Mount(target, what, cure))
    return sorted(found, key=lambda mount: -len(mount.target))


def prefix(files: Mapping[str, str], tree: Mapping[str, str]) -> str | None:
    """Return which folder of the repository the container's code is: the one of a manage.py with most files of it."""
    tops = [path[: -len("manage.py")] for path in tree if path == "manage.py" or path.endswith("/manage.py")]
    return max(tops, key=lambda top: sum(top + name in tree for name in files), default=None)


def differing(files: Mapping[str, str], top: str, tree: Mapping[str, str]) -> list[str]:
    """Name the files that a container has in another form than a commit does."""
    return sorted(name for name, content in files.items() if tree.get(top + name, content) != content)


def fault(
    place: str,
    files: Mapping[str, str],
    commits: Commits,
    mounts: Sequence[Mount],
    on_host: Callable[[str], str],
) -> tuple[list[str], Mount | None]:
    """Name the files, from the top of the repository, that show other code than the commit's, and their mount.

    :param place: the folder in the container that the files are below.
    :param on_host: gives the content of a file in the app's checkout: git may write other line ends than the commit's.
    """
    top = prefix(files, commits.new)
    if top is None:
        return [], None
    by_mount: dict[Mount, list[str]] = {}
    stale = []
    for name in differing(files, top, commits.new):
        path, inside = top + name, os.path.join(place, name)
        if on_host(path) == files[name]:
            continue
        mount = next((one for one in mounts if inside.startswith(one.target + "/")), None)
        if mount:
            by_mount.setdefault(mount, []).append(path)
        elif commits.old.get(path) == files[name] and _RULES.verdict(path).steps:
            stale.append(path)
    if by_mount:
        mount = max(by_mount, key=lambda one: len(by_mount[one]))
        return by_mount[mount], mount
    return stale, None


def message(commit: str, container: str, service: str, paths: list[str], mount: Mount | None) -> str:
    """Return what is wrong, where, and what to do."""
    begin = f"The new container {container} does not have the code of {commit[:12]} ({some(paths)} "
    differ = "differs" if len(paths) == 1 else "differ"
    if mount:
        return f"{begin}{differ}), because {mount.what} lies over {mount.target}: {mount.cure}, and deploy again."
    return (
        f"{begin}{'is' if len(paths) == 1 else 'are'} as in the release before), because the image of '{service}' "
        "was not made from this commit: let the compose file build it from the repository (build:), and deploy again."
    )


def require(work: context.SwitchContext, containers: Sequence[engine.Container]) -> None:
    """Make sure that containers which run have the code of the commit that is to serve.

    :raises JunoError: one has not.
    """
    commit = work.spec.commit
    if not commit or not containers:
        return
    before = (journal.last_done(journal.read(work.app.journal)) or journal.NO_RELEASE).commit
    new, old = _tree(work, commit), _tree(work, before)
    for one in containers:
        events.tell(f"compares the code in {one.name} with {commit[:7]}")
        from_here = one.service in work.spec.images or not work.config["services"][one.service].get("build")
        loaded = _ask(work.client, one)
        if not loaded["files"]:
            continue
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            mounts = parse_mounts(work.client.api.inspect_container(one.id).get("Mounts") or [])
        commits = Commits(new, old if from_here else {})
        paths, mount = fault(
            loaded["top"], loaded["files"], commits, mounts, lambda path: _content(work.app.path, path)
        )
        if paths:
            raise JunoError(message(commit, one.name, one.service, paths, mount), differing=paths)


def _tree(work: context.SwitchContext, commit: str) -> dict[str, str]:
    if not commit:
        return {}
    done = work.run(checkout.git(work.app.path, "ls-tree", "-r", "-z", commit))
    return parse_tree(done.stdout) if done.rc == 0 else {}


def _content(directory: str, path: str) -> str:
    try:
        with open(os.path.join(directory, path), "rb") as file:
            return loaded_code.blob(file.read())
    except OSError:
        return ""


def _ask(client: t.Any, container: engine.Container) -> dict[str, t.Any]:
    """Ask the container's own Python for the code that it has; nothing where there is none, or it doesn't answer."""
    token = f"juno-{uuid.uuid4().hex}"
    job = runner.build_job((loaded_code,), {"token": token})
    for python in ("python", "python3"):
        argv = [python, "-c", runner.BOOT, job]
        try:
            done = engine_exec.exec_argv(client, container, argv, timeout_seconds=LOOK_SECONDS)
        except EngineError:
            continue  # it has none of that name, or ended meanwhile: whoever watches it says so
        results = split_results(done.stdout, token)[1]
        if "code" in results:
            return t.cast("dict[str, t.Any]", results["code"])
    return {"top": "", "files": {}}
