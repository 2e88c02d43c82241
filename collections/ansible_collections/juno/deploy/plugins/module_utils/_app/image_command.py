# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the containers of a compose service start: by its command, its Dockerfile, scripts. Private to juno.deploy.

Source: Docker's Dockerfile reference (FROM, COPY, ENTRYPOINT, CMD, escape directive).
"""

from __future__ import annotations

import os
import posixpath
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: A script or a Dockerfile is a small file.
MOST_BYTES = 64 * 1024
#: Whose files tell nothing of what is started.
_SYSTEM = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/dev/")
#: What a command names and does not start, though it may name what is.
_NO_SCRIPTS = (".py", ".txt", ".toml", ".json", ".yml", ".yaml", ".ini", ".cfg", ".lock")


def instructions(text: str) -> list[str]:
    """Return the instructions of a Dockerfile, each on one line, without comments."""
    escape = re.match(r"\A(?:#[^\n]*\n)*?#\s*escape\s*=\s*`", text, re.IGNORECASE)
    end = "`" if escape else "\\"
    lines, whole = [], ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#") or (not line and whole):
            continue
        if line.endswith(end):
            whole += line[:-1] + " "
            continue
        if whole + line:
            lines.append((whole + line).strip())
        whole = ""
    return [*lines, whole.strip()] if whole.strip() else lines


def started(dockerfile: str, target: str = "") -> tuple[str, str]:
    """Return the entry point and the command of a Dockerfile's stage (its last one), as they stand there."""
    stages: dict[str, dict[str, str]] = {}
    stage: dict[str, str] = {}
    for line in instructions(dockerfile):
        word, _space, rest = line.partition(" ")
        if word.upper() == "FROM":
            words = [one for one in rest.split() if not one.startswith("--")]
            # What an earlier stage starts is inherited, as from any other image.
            stage = dict(stages.get(words[0].lower() if words else "", {}))
            stages[words[2].lower() if len(words) > 2 else str(len(stages))] = stage
        elif word.upper() in ("ENTRYPOINT", "CMD"):
            stage[word.upper()] = rest.strip()
    chosen = stages.get(target.lower(), stage) if target else stage
    return chosen.get("ENTRYPOINT", ""), chosen.get("CMD", "")


def of_service(service: dict[str, t.Any], directory: str, image: str = "") -> Iterator[tuple[str, str]]:
    """Return what a service's containers start, each text with where it stands; what is nearest comes first.

    :param directory: the app's directory, below which files are looked at.
    :param image: what the image itself starts, where somebody has asked the Engine.
    """
    own = " ".join([*_words(service, "entrypoint"), *_words(service, "command")])
    folder, recipe = _recipe(service, directory)
    entry, command = started(recipe, (service.get("build") or {}).get("target") or "")
    # One of the compose file's own goes before the image's; an entry point there takes the image's command away, too.
    parts = [] if service.get("entrypoint") else [entry] if service.get("command") else [entry, command]
    by_recipe = " ".join(filter(None, parts))
    if own:
        yield own, "its command"
    if by_recipe:
        yield by_recipe, "its Dockerfile"
    yield from _scripts(service, directory, folder, recipe, f"{own} {by_recipe}")
    if image and not own:
        yield image, "its image"


def base_images(service: dict[str, t.Any], directory: str) -> list[str]:
    """Name the images that a service's own image is built from."""
    froms = [
        line.split()[1:] for line in instructions(_recipe(service, directory)[1]) if line.upper().startswith("FROM")
    ]
    return [word for words in froms for word in [one for one in words if not one.startswith("--")][:1]]


def copied(service: dict[str, t.Any], directory: str) -> list[str]:
    """Name what a service's Dockerfile copies, from the app's directory."""
    folder, recipe = _recipe(service, directory)
    return [posixpath.normpath(posixpath.join(folder, source)) for _target, source in _copies(recipe)]


def _recipe(service: dict[str, t.Any], directory: str) -> tuple[str, str]:
    """Return a service's build context, from the app's directory, and the text of its Dockerfile."""
    folder, name = compose_mounts.build_files(service, directory)
    return folder, str((service.get("build") or {}).get("dockerfile_inline") or "") or read_text(directory, name)


def _scripts(
    service: dict[str, t.Any], directory: str, folder: str, recipe: str, said: str
) -> Iterator[tuple[str, str]]:
    """Return the text of each script that is named, as far as it lies in the app's directory."""
    copied = list(_copies(recipe))
    for word in dict.fromkeys(re.split(r"[\s\"'\[\],;&|()]+", said)):
        name = posixpath.basename(word)
        named = re.fullmatch(r"[\w./-]+", word) and not word.startswith(_SYSTEM) and not name.endswith(_NO_SCRIPTS)
        if not named or not (name.endswith(".sh") or "/" in word):
            continue
        for place in _places(service, directory, folder, copied, word):
            if text := read_text(directory, place):
                yield text, name
                break


def _places(
    service: dict[str, t.Any], directory: str, folder: str, copied: list[tuple[str, str]], word: str
) -> Iterator[str]:
    """Return where in the app's directory a file may lie that containers see under a name."""
    for one in service.get("volumes") or []:
        source, target = one.get("source") or "", (one.get("target") or "").rstrip("/")
        if one.get("type") == "bind" and compose_mounts.inside(source, directory):
            below = word[len(target) :] if compose_mounts.inside(word, target) else ""
            if below or word == target:
                yield compose_mounts.moved(source, directory, "").lstrip("/") + below
    above, name = posixpath.split(word)
    for target, source in copied:
        if target == word or (target == above and posixpath.basename(source) == name):
            yield posixpath.normpath(posixpath.join(folder, source))
        elif target == above:
            yield posixpath.normpath(posixpath.join(folder, source, name))
    # Where all is copied, what stands in the image below its working directory stands here at the top.
    plain = word[2:] if word.startswith("./") else word.lstrip("/")
    for _part in range(2):
        yield posixpath.normpath(posixpath.join(folder, plain))
        plain = plain.partition("/")[2] or plain


def _copies(recipe: str) -> Iterator[tuple[str, str]]:
    """Return what a Dockerfile copies: to where, and what, a file or a folder."""
    for line in instructions(recipe):
        words = re.sub(r"[\[\]\",]+", " ", line).split()
        if words[0].upper() not in ("COPY", "ADD") or "--from" in line:
            continue
        *sources, target = [one for one in words[1:] if not one.startswith("--")] or [""]
        yield from ((target.rstrip("/"), source) for source in sources)


def _words(service: dict[str, t.Any], key: str) -> list[str]:
    said = service.get(key) or []
    return [said] if isinstance(said, str) else [str(one) for one in said]


def read_text(directory: str, name: str) -> str:
    """Return a small text file of the app's directory; nothing for what is none, or lies behind a link or outside."""
    path = os.path.normpath(name)
    if not name or os.path.isabs(path) or path.startswith(".."):
        return ""
    try:
        with safe_files.opened(directory, path) as file:
            body = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return ""
    return "" if len(body) > MOST_BYTES or b"\0" in body else body.decode("utf-8", "replace")
