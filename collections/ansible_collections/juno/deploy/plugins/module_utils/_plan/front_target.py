# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the front proxy still asks the site, as a commit has its files. Private to juno.deploy.

They are read only in the switch; one that no longer names the site would take it from its visitors then.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_mounts,
    front_config,
    front_protocol,
    front_proxy,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import compose_target

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._git import diff

    Config = dict[str, t.Any]


def require_asked(
    run: Runner, app: App, configs: tuple[Config, Config], changes: Sequence[diff.Change], commit: str
) -> None:
    """Make sure that a commit doesn't take the site's name out of the files of all front proxies.

    :param configs: the compose project as the checkout has it, and as the commit has it.
    :param changes: what differs between the two.
    :raises BadInputError: it does.
    """
    here, wanted = configs
    before = asking(here, app, app.path)
    # One that the commit takes out of the compose file is meant to go.
    if not before or not all(one in wanted["services"] for one in before):
        return
    places = [place for config in configs for name in before for place in _places(config, name, app.path)]
    touched = [one for one in changes if any(compose_mounts.inside(one.path, place) for place in places)]
    if not touched and here == wanted:
        return
    with tempfile.TemporaryDirectory(prefix="juno-front-") as top:
        _copy(app.path, places, top)
        _change(run, app, touched, commit, top)
        there = compose_mounts.all_moved(wanted, app.path, top)
        names = "|".join(map(re.escape, front_proxy.known_as(wanted["services"][app.service], app.service)))
        if asking(there, app, top) or front_proxy.find(there, app.service, top).routes or _mentions(there, names, top):
            return
    file = touched[0].path if touched else app.compose().files[0]
    raise BadInputError(
        f"{file} of {commit[:12]} no longer names '{app.service}', which '{before[0]}' asked until now, and no other "
        "front proxy does: visitors would lose the site. Name it there again; or set 'base_url' to where they are to "
        "come in. Nothing was changed."
    )


def asking(config: Config, app: App, directory: str) -> list[str]:
    """Name the services that run a proxy, and ask the site by what is in their files in a directory."""
    site = config["services"][app.service]
    if site.get("network_mode"):
        return []
    names, listens = front_proxy.known_as(site, app.service), front_proxy.listens(site)
    return [
        name
        for name, service in front_proxy.proxies(config, app.service, directory)
        if front_protocol.read(name, service, site, _text(config, service, directory), names, listens)
    ]


def _text(config: Config, service: Config, directory: str) -> str:
    return "\n".join(front_config.texts(config, service, directory))


def _mentions(config: Config, names: str, directory: str) -> bool:
    """Return whether the files of a proxy name the site at all: one may put its address together of parts."""
    proxies = (one for one in config["services"].values() if front_proxy.is_proxy(one, directory))
    texts = (re.sub(r"(?m)^\s*#.*$", "", _text(config, one, directory)) for one in proxies)
    return any(re.search(rf"(?<![\w.-])(?:{names})(?![\w-])", text) for text in texts)


def _places(config: Config, name: str, directory: str) -> list[str]:
    service = config["services"].get(name) or {}
    _context, dockerfile = compose_mounts.build_files(service, directory)
    return [*front_config.sources(config, service, directory), *filter(None, [dockerfile])]


def _copy(directory: str, places: list[str], top: str) -> None:
    """Copy what is small and text at some places of the checkout."""
    for place in dict.fromkeys(places):
        for name in front_config.files(directory, place):
            _put(top, name, front_config.read(directory, name))


def _change(run: Runner, app: App, touched: list[diff.Change], commit: str, top: str) -> None:
    """Let the files be as a commit has them."""
    texts = compose_target.shown(run, app, commit, [one.path for one in touched if one.status != "D"])
    for name, text in texts.items():
        _put(top, name, text)
    for one in touched:
        if one.status == "D":
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(os.path.join(top, one.path))


def _put(top: str, name: str, text: str) -> None:
    path = os.path.join(top, name)
    if text and compose_mounts.inside(os.path.normpath(path), top):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
