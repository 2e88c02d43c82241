# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of private registries, for as long as one release takes. Private to juno.deploy: no stable interface.

docker, docker compose, their builds and the SDK take logins from the folder that DOCKER_CONFIG names. So a release that
is given some has such a folder of its own: with what the user's own one has, and these. It goes as the release ends;
the next begin removes what one that was killed has left.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import files, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

    #: By C(_base.options.LOGIN).
    Logins = Sequence[dict[str, str]]

VARIABLE = "DOCKER_CONFIG"
NAME = "config.json"
#: Docker Hub, as images name it, and as docker keeps a login there.
HUB, HUB_KEY = "docker.io", "https://index.docker.io/v1/"
_HUB_NAMES = (HUB, "index.docker.io")
_HOST = re.compile(r"([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?")


def check(logins: Logins) -> None:
    """See that logins make sense.

    :raises BadInputError: one does not.
    """
    for number, login in enumerate(logins, 1):
        registry, user = login["registry"], login["username"]
        if not _HOST.fullmatch(registry):
            raise BadInputError(
                f"'{registry}', registry {number} in 'registry_logins', is not the host of a registry: write it as "
                "images name it (ghcr.io, or registry.example.com:5000; docker.io for Docker Hub), without https:// "
                "and path."
            )
        if not user or ":" in user:
            raise BadInputError(
                f"'{user}', the username for {registry} in 'registry_logins', is none (it is empty, or has a colon in "
                "it): correct it."
            )
        if not _password(login):
            raise BadInputError(
                f"The password for {registry} in 'registry_logins' is empty: set it, or leave that registry out."
            )
    names = registries(logins)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise BadInputError(f"'registry_logins' has more than one login for {twice[0]}: leave one.")


def registries(logins: Logins) -> tuple[str, ...]:
    """Return the registries of logins, as C(_plan.registry_plan) names that of an image."""
    return tuple(map(_registry, logins))


def learn(logins: Logins) -> None:
    """Keep the passwords out of whatever this process tells."""
    for login in logins:
        masking.known.add(_password(login))
        masking.known.add(_auth(login))


def _registry(login: dict[str, str]) -> str:
    return HUB if login["registry"] in _HUB_NAMES else login["registry"]


def _password(login: dict[str, str]) -> str:
    # Without the end of a line, as docker login takes it.
    return login["password"].rstrip("\r\n")


def _auth(login: dict[str, str]) -> str:
    return base64.b64encode(f"{login['username']}:{_password(login)}".encode()).decode()


def folder(app: App) -> str:
    """Return where the configuration of the release at work is."""
    return os.path.join(app.state_directory, "docker")


def write(app: App, logins: Logins) -> None:
    """Let this process have the logins, and those that call C(use); without any, what an earlier one had goes.

    :raises JunoError: they can't be written.
    """
    remove(app)
    if logins:
        _fill(folder(app), logins)


def use(app: App) -> None:
    """Let this process have the logins of the release, if it has any."""
    if os.path.exists(os.path.join(folder(app), NAME)):
        os.environ[VARIABLE] = folder(app)


def remove(app: App) -> None:
    """Take the logins of the release away."""
    # What can't be removed is in the way of the next begin, which says so.
    shutil.rmtree(folder(app), ignore_errors=True)


@contextlib.contextmanager
def for_a_look(logins: Logins) -> Iterator[None]:
    """Let this process, which ends with that, have the logins, and leave nothing.

    :raises JunoError: they can't be written.
    """
    with tempfile.TemporaryDirectory(prefix="juno.") as place:
        if logins:
            _fill(os.path.join(place, "docker"), logins)
        yield


def _fill(place: str, logins: Logins) -> None:
    own = os.path.abspath(os.environ.get(VARIABLE) or os.path.expanduser("~/.docker"))
    config = configuration(_read(os.path.join(own, NAME)), logins)
    try:
        os.makedirs(os.path.dirname(place), mode=0o750, exist_ok=True)
        os.mkdir(place, 0o700)
        # Plugins, contexts and builders are looked for beside the configuration.
        for name in os.listdir(own) if os.path.isdir(own) else ():
            if name != NAME:
                os.symlink(os.path.join(own, name), os.path.join(place, name))
        files.replace(os.path.join(place, NAME), json.dumps(config))
    except OSError as exc:
        raise JunoError(
            f"The logins of 'registry_logins' can't be written to {place} ({exc.strerror}): remove what is in the way, "
            "or free disk space. Nothing was changed."
        ) from exc
    os.environ[VARIABLE] = place


def _read(path: str) -> dict[str, t.Any]:
    """Return the user's own configuration of docker; an empty one where there is none.

    :raises BadInputError: it can't be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise BadInputError(f"Docker's configuration {path} can't be read ({exc}): correct it.") from exc
    if not isinstance(found, dict):
        raise BadInputError(f"Docker's configuration {path} is not an object in JSON: correct it.")
    return found


def configuration(own: dict[str, t.Any], logins: Logins) -> dict[str, t.Any]:
    """Return a user's configuration with the logins, which come before those that the user has for these registries."""
    auths, helpers, store = dict(own.get("auths") or {}), dict(own.get("credHelpers") or {}), own.get("credsStore")
    if store:
        # It would be asked for each registry, and the logins never read: so it is named for those it has a login of.
        helpers = {**{name: store for name, one in auths.items() if not one}, **helpers}
    for login in logins:
        registry = _registry(login)
        key = HUB_KEY if registry == HUB else registry
        auths[key] = {"auth": _auth(login)}
        helpers.pop(key, None)
    kept = {name: one for name, one in own.items() if name not in ("credsStore", "credHelpers")}
    return {**kept, "auths": auths, **({"credHelpers": helpers} if helpers else {})}
