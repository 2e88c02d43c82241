# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let git work as the owner of the checkout, where root deploys. Private to juno.deploy: no stable interface.

C(_base.command) runs git so. Where the owner can't do what root can (no key for the git server, folders of somebody
else's), git works as root, as it did before there was this, and what it leaves is given to the owner.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import (
    files,
    git_environment,
    safe_files,
    safe_ownership,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._base.owner import Owner

#: Beside the journal: says why git works as root, for the next processes of a deploy.
RECORD = "git-as-root"
#: How a reason begins that lies with another machine.
REFUSED = "can't "
GIT, ATTRIBUTES = ".git", ".gitattributes"
_FILTER = re.compile(rb"\bfilter=(\S+)")


def record_path(app: App) -> str:
    """Return the file that says why git works as root."""
    return os.path.join(app.state_directory, RECORD)


def _recorded(app: App) -> str:
    try:
        with open(record_path(app), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        raise JunoError(f"{record_path(app)} can't be read ({exc}): remove it.") from exc


def take(app: App) -> None:
    """Have git work in this process as it was decided when the release began, unless it is decided already."""
    if git_environment.git.as_root is None:
        git_environment.git.as_root = _recorded(app) if base_owner.of(app.path) else ""


def remember(app: App) -> None:
    """Keep what was decided for the processes that come later.

    :raises JunoError: that can't be written.
    """
    try:
        if git_environment.git.as_root:
            files.replace(record_path(app), git_environment.git.as_root + "\n")
        elif os.path.lexists(record_path(app)):
            os.unlink(record_path(app))
    except OSError as exc:
        raise JunoError(f"The file {record_path(app)} can't be written ({exc.strerror}): free disk space.") from exc


def prepare(run: Runner, app: App, ours: Iterable[str] = ()) -> None:
    """Decide whom git works as, and let the owner have what an earlier version, or root by hand, has left as root's.

    :param ours: names of files that lie in the checkout without git, and are a deploy's; our override is known.
    """
    owner = base_owner.of(app.path)
    if owner is None:
        git_environment.git.as_root = ""
        return
    # First git's own folder: git would refuse to work in one that is another's.
    _give_tree(app.path, owner)
    git_environment.git.as_root = _shut_out(app, owner)
    if git_environment.git.as_root:
        return
    names = tracked(run, app.path)
    overrides = [os.path.basename(one) for one in (app.override, app.former_override) if compose.is_ours(one)]
    _give(app.path, owner, [*names, *ours, *overrides])
    why = closed(app.path, owner, names) or _without_filter(run, app.path, _attributes(app.path, names))
    known = _recorded(app)
    git_environment.git.as_root = why or (known if known.startswith(REFUSED) else "")
    # Who could not get at the git server is not tried each time: it may shut out all of this host for that. But a root
    # who has not come by sudo may be one that git refuses here.
    if not why and known and run(["git", "-C", app.path, "rev-parse", "--git-dir"]).rc:
        git_environment.git.as_root = ""


def _shut_out(app: App, owner: Owner) -> str:
    """Return why the owner can't work in the checkout, or in the clean one for a build; nothing if that is possible."""
    for place in (app.path, os.path.dirname(app.state_root)):
        if not owner.may_enter(place):
            return f"may not enter {place}"
    return closed(app.path, owner, ["any", f"{GIT}/any"])


def closed(path: str, owner: Owner, names: Iterable[str]) -> str:
    """Return what keeps the owner from replacing files of the checkout: the folder, made or nearest, of one of them."""
    folders = {os.path.dirname(name) for name in names}
    for folder in sorted(folders):
        place = os.path.join(path, folder)
        while not os.path.isdir(place):
            place = os.path.dirname(place)
        if not owner.may(os.stat(place), base_owner.ENTER | base_owner.WRITE):
            return f"may not write in {place.rstrip('/')}"
    return ""


def _without_filter(run: Runner, path: str, attributes: Iterable[bytes]) -> str:
    """Return which filter of root's (git-lfs, say) a checkout needs and its owner lacks: its files would be useless."""
    used = {one.decode("utf-8", "replace") for text in attributes for one in _FILTER.findall(text)}
    if not used:
        return ""
    words = ("config", "--name-only", "--get-regexp", r"^filter[.].*[.](smudge|process)$")
    ours, theirs = run(["git", *words], cwd="/").stdout, run(["git", "-C", path, *words]).stdout
    missing = used & _named(ours) - _named(theirs)
    return f"has no filter '{min(missing)}' in the git configuration, as root has" if missing else ""


def _named(settings: str) -> set[str]:
    return {line.split(".", 1)[1].rpartition(".")[0] for line in settings.splitlines()}


def _attributes(path: str, names: list[str]) -> Iterator[bytes]:
    for name in names:
        if os.path.basename(name) == ATTRIBUTES:
            with contextlib.suppress(OSError):  # a link, or gone; git says so
                yield safe_files.read(path, name)


def look_ahead(run: Runner, path: str, target: str) -> None:
    """Have git work as root if the owner can't bring what a commit brings."""
    owner = base_owner.of(path)
    if owner is None or git_environment.git.as_root:
        return
    done = run(["git", "-C", path, "diff", "--name-only", "--no-renames", "-z", "HEAD", target, "--"])
    names = [name for name in done.stdout.split("\0") if name]
    texts = (
        run(["git", "-C", path, "cat-file", "blob", f"{target}:{name}"]).stdout.encode()
        for name in names
        if os.path.basename(name) == ATTRIBUTES
    )
    git_environment.git.as_root = closed(path, owner, names) or _without_filter(run, path, texts)


def tracked(run: Runner, path: str) -> list[str]:
    """Name the files that git knows, those of submodules too; none where there is no checkout, which others tell."""
    done = run(["git", "-C", path, "ls-files", "-z", "--recurse-submodules"])
    return [name for name in done.stdout.split("\0") if name] if done.rc == 0 else []


def give_back(run: Runner, path: str) -> None:
    """Let the owner have what git, working as root, has left in the checkout."""
    owner = base_owner.of(path) if git_environment.git.as_root else None
    if owner:
        _give_tree(path, owner)
        _give(path, owner, tracked(run, path))


def notices(app: App) -> list[str]:
    """Return why git works as root, and how that ends."""
    owner, why = base_owner.of(app.path), git_environment.git.as_root
    if owner is None or not why:
        return []
    text = f"git works in {app.path} as root, since {owner.name}, whose it is, {why}; what it writes is given to "
    ends = f". Once that has changed, remove {record_path(app)}" if why.startswith(REFUSED) else ""
    return [f"{text}{owner.name}{ends}."]


def _give(path: str, owner: Owner, names: list[str]) -> None:
    """Give what is root's of files in the checkout, and of the folders above them."""
    folders = {""}
    for name in names:
        above = os.path.dirname(name)
        while above not in folders:
            folders.add(above)
            above = os.path.dirname(above)
    modules = [os.path.join(folder, GIT) for folder in folders if folder]
    for name in sorted({*names, *modules, *folders} - {""}):
        try:
            seen = os.lstat(os.path.join(path, name))
            if seen.st_uid == 0 and not stat.S_ISLNK(seen.st_mode):
                safe_ownership.give(path, name, owner)
        except OSError:
            continue  # it went, or a link is above it; who can't do without it says so


def _give_tree(path: str, owner: Owner) -> None:
    """Give what is root's of git's own folder; it may be elsewhere, where it is not for us to give."""
    try:
        if os.path.isdir(os.path.join(path, GIT)):
            safe_ownership.give_tree(path, GIT, owner)
        else:
            safe_ownership.give(path, GIT, owner)
    except OSError:
        return  # not there, or a link; git says what it thinks of it
