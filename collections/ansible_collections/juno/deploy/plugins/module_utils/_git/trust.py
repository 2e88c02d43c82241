# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the checkout's own git configuration is the one that was trusted. Private to juno.deploy.

Where the checkout is mounted into a container, the container's code can write C(.git): programs that git would run as
us (filters, an ssh command, credential helpers), another server to fetch from, links that git would write through. So
what matters of it is kept below the state root when it is first seen, and compared before git is used. Hooks and the
file system monitor are off in any case (C(GIT_SETTINGS) of C(_base.git_environment)).

Between the look and git a container may still write; C(switch.protect_git) keeps it from that altogether.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import files as base_files
from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Beside the journal.
RECORD = "git.json"
#: Settings that neither run a program, nor lead to another server or place, in a git command of ours.
_HARMLESS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol"
    r"|safecrlf|abbrev|quotepath|compression|loosecompression|bigfilethreshold|untrackedcache|preloadindex|commitgraph"
    r"|multipackindex|sparsecheckout|sparsecheckoutcone|splitindex|checkstat|trustctime|whitespace|notesref)"
    r"|(user|author|committer|color|advice|alias|push|pull|rerere|gui|init|status|tag|commit|rebase|index|pack|feature"
    r"|blame|grep|help|column|maintenance|stash|apply)\..*"
    r"|branch\..*\.(remote|merge|rebase|description|pushremote)|branch\.(autosetupmerge|autosetuprebase|sort)"
    r"|remote\..*\.(fetch|tagopt|prune|prunetags|push|pushurl|skipdefaultupdate|gh-resolved)"
    r"|fetch\.(prune|prunetags|parallel|writecommitgraph|showforcedupdates|recursesubmodules|output)"
    r"|gc\.(auto|autodetach|autopacklimit|pruneexpire|reflogexpire|worktreepruneexpire)"
    # A commit names the content of its submodules, whoever sends it.
    r"|submodule\..*\.(url|active|ignore|branch|shallow)|submodule\.(active|recurse)"
    r"|extensions\.(objectformat|noop)|log\.(date|decorate|follow)|merge\.(ff|conflictstyle|renamelimit|renames)"
    r"|diff\.(renames|algorithm|mnemonicprefix|renamelimit|colormoved)|lfs\.repositoryformatversion|lfs\..*\.access"
)
#: In a submodule's own configuration, for the same reason.
_MODULE_URL = re.compile(r"remote\.[^.]*\.url")
#: Where git writes beside its objects; their names are sums of what is in them.
_NOT_LOOKED_INTO = frozenset({"hooks", "lfs", "annex"})
_SCOPES = ("local", "worktree")


class Seen(t.NamedTuple):
    """What was found of a checkout."""

    #: Settings that matter, by key; those of a submodule begin with its folder.
    settings: dict[str, list[str]]
    #: Where git's folders are, and the links in them.
    places: dict[str, str]
    #: How git reaches its server by ssh, as a person set it for this checkout or for all.
    ssh_command: str


def parse_settings(text: str) -> list[tuple[str, str, str]]:
    """Read C(git config --list --show-scope -z): scope, key, value."""
    fields = text.split("\0")
    # A key without a value has no line of its own for it: it means true.
    pairs = (one.partition("\n") for one in fields[1::2])
    return [(scope, key, value if line else "true") for scope, (key, line, value) in zip(fields[::2], pairs)]  # noqa: B905 - strict came with 3.10


def matters(key: str) -> bool:
    """Return whether a setting has to be what it was."""
    return not _HARMLESS.fullmatch(key.lower())


def look(run: Runner, path: str) -> Seen | None:
    """Look at a checkout; nothing where there is none.

    :raises JunoError: git can't read its configuration.
    """
    found = run(checkout.git(path, "rev-parse", "--absolute-git-dir", "--git-common-dir"))
    if found.rc:
        return None
    directory, common = (os.path.realpath(os.path.join(path, one)) for one in found.stdout.splitlines())
    listed = run(checkout.git(path, "config", "--list", "--show-scope", "-z"))
    listed.require(f"git can't read the configuration of {path} ({{cause}}).")
    settings: dict[str, list[str]] = {}
    ssh = ""
    for scope, key, value in parse_settings(listed.stdout):
        if key == "core.sshcommand" and scope != "command":
            ssh = value
        if scope in _SCOPES and matters(key):
            settings.setdefault(key, []).append(value)
    places = {"directory": directory, "common": common, **links(common)}
    if directory != common:
        places.update(links(directory))
    for name in _modules(common):
        words = ("config", "--file", os.path.join(common, name, "config"), "--list", "-z")
        done = run(checkout.git(path, *words)).require(f"git can't read the configuration of {name} ({{cause}}).")
        for _scope, key, value in parse_settings("".join(f"local\0{one}\0" for one in done.stdout.split("\0") if one)):
            if key == "core.worktree" and _is_within(os.path.join(common, name, value), path):
                continue  # git writes it when it brings a submodule
            if matters(key) and not _MODULE_URL.fullmatch(key):
                settings.setdefault(f"{name}: {key}", []).append(value)
    if os.path.lexists(os.path.join(path, ".gitmodules")):
        places.update(_led_away(run, path, common))
    return Seen(settings, places, ssh)


def _is_within(name: str, directory: str) -> bool:
    return os.path.realpath(name).startswith(os.path.realpath(directory) + "/")


def _led_away(run: Runner, path: str, common: str) -> dict[str, str]:
    """Return the submodules whose git folder is not where git keeps it, each with where it is."""
    staged = run(checkout.git(path, "ls-files", "--stage", "-z")).require(f"git can't list {path} ({{cause}}).").stdout
    found = {}
    for name in (line.partition("\t")[2] for line in staged.split("\0") if line.startswith("160000 ")):
        place = f"{name}/.git"
        if not safe_files.exists(path, place):
            continue
        try:
            text = safe_files.read(path, place).decode("utf-8", "replace").strip()
        except OSError:
            found[place] = os.path.realpath(os.path.join(path, place))
            continue
        target = os.path.join(path, name, text.partition("gitdir: ")[2])
        if not _is_within(target, os.path.join(common, "modules")):
            found[place] = os.path.realpath(target)
    return found


def links(directory: str) -> dict[str, str]:
    """Return the links in one of git's folders, through which it would write elsewhere, with what they lead to."""
    found: dict[str, str] = {}
    folders = [directory]
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    found[entry.path] = os.readlink(entry.path)
                elif (
                    entry.is_dir(follow_symlinks=False)
                    and entry.name not in _NOT_LOOKED_INTO
                    and os.path.basename(folder) != "objects"
                ):
                    folders.append(entry.path)
    return found


def _modules(common: str) -> list[str]:
    """Name the folders in which git keeps submodules."""
    found = []
    for folder, folders, files in os.walk(os.path.join(common, "modules")):
        if "config" in files and "HEAD" in files:
            found.append(os.path.relpath(folder, common))
            folders[:] = [name for name in folders if name == "modules"]
    return sorted(found)


def differences(then: Seen, now: Seen) -> list[str]:
    """Return in what a checkout is not what it was."""
    found = []
    for key in sorted(set(then.settings) | set(now.settings)):
        if then.settings.get(key) != now.settings.get(key):
            what = "is new" if key not in then.settings else "is gone" if key not in now.settings else "is another"
            found.append(f"{key} {what}")
    for name in sorted(set(then.places) | set(now.places)):
        if then.places.get(name) != now.places.get(name) and name in now.places:
            what = "its folder" if name in ("directory", "common") else name
            found.append(f"{what} leads to {now.places[name]}")
    return found


def record_path(app: App) -> str:
    """Return the file in which it is kept what was trusted."""
    return os.path.join(app.state_directory, RECORD)


def trusted(app: App) -> Seen | None:
    """Return what was trusted; nothing as long as nothing was.

    :raises JunoError: the record can't be read.
    """
    path = record_path(app)
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        return Seen(known["settings"], known["places"], "") if known["path"] == app.path else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise JunoError(f"{path} can't be read ({exc}): remove it, if the git configuration is yours.") from exc


def remember(run: Runner, app: App) -> None:
    """Trust the checkout as it is, if it was never seen before.

    :raises JunoError: that can't be written.
    """
    seen = None if trusted(app) else look(run, app.path)
    if seen is None:
        return
    text = json.dumps({"path": app.path, "settings": seen.settings, "places": seen.places}, indent=1, sort_keys=True)
    try:
        base_files.replace(record_path(app), text + "\n")
    except OSError as exc:
        raise JunoError(
            f"The file {record_path(app)} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc


def apply(run: Runner, app: App, *, strict: bool = True) -> list[str]:
    """Make sure that git commands of this process do nothing but what was trusted; return what is left out.

    :param strict: refuse another configuration; else git is run without what is new in it.
    :raises BadInputError: it is another one, or git would write somewhere else.
    """
    owner.take(app)
    now = look(run, app.path)
    if now is None:
        return []
    then = trusted(app) or now
    changed = differences(then, now)
    if changed and (strict or any(now.places.get(one) != then.places.get(one) for one in now.places)):
        raise BadInputError(
            f"The git configuration of {app.path} is not the one that was trusted ({checkout.some(changed)}), and git "
            "would do as it says as the user who deploys: if a container wrote it, set that right; if it was you, "
            f"remove {record_path(app)} and deploy again.",
            git_configuration=changed,
        )
    ssh = then.settings.get("core.sshcommand", [""])[-1] or ("" if changed else now.ssh_command)
    git_environment.git.trust(overrides(then, now), ssh)
    return changed


def findings(app: App, changed: list[str]) -> list[str]:
    """Return what a deploy will stop at, if anything is not what was trusted."""
    if not changed:
        return []
    what = f"The git configuration of {app.path} is not the one that was trusted ({checkout.some(changed)})"
    how = f"set right what a container wrote, or remove {record_path(app)} if it was you"
    return [f"{what}, and a deploy will stop at it: {how}."]


def overrides(then: Seen, now: Seen) -> list[tuple[str, str]]:
    """Return the settings by which git does not do what is new in its configuration, as far as programs go."""
    found = []
    for key, values in sorted(now.settings.items()):
        plain = key.rpartition(": ")[2]
        known = then.settings.get(key, [])
        if values == known or not re.match(r"(filter|credential|core\.(askpass|gitproxy)|submodule)\b", plain):
            continue
        if plain.endswith(".required"):
            found.append((plain, "false"))
        elif plain.startswith("submodule."):
            found.append((plain, "checkout"))
        else:
            # For credential helpers, nothing means: forget those before.
            found += [(plain, ""), *((plain, one) for one in known)]
    return found
