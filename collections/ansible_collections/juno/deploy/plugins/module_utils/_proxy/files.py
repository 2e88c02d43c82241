# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's files on the host: override, configuration, maintenance page. Private to juno.deploy."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import files, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import exclude
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy, names

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Back soon</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32rem;padding:0 1rem;color:#222}</style>
<h1>Back soon</h1><p>This site is being worked on and will be back in a few minutes.</p></html>
"""
ON, OFF = "site on\n", "site off\n"
NO_SWITCH = f"{haproxy.SWITCH_KEY} 0\n"


def put(path: str, text: str, mode: int = 0o644) -> bool:
    """Replace a file as a whole; return whether it changed.

    :raises JunoError: it can't be written; the old one is as it was.
    """
    if read(path) == text:
        return False
    try:
        files.replace(path, text, mode)
    except OSError as exc:
        raise JunoError(
            f"The file {path} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc
    return True


def read(path: str) -> str:
    """Return a file's text; nothing when there is none."""
    try:
        return safe_files.read(os.path.dirname(path), os.path.basename(path)).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        if os.path.islink(path):
            return ""  # it is not ours
        raise JunoError(f"The file {path} can't be read ({exc}): deploy as a user who may.") from exc


def in_the_way(app: App) -> str:
    """Return what keeps our override from being read by docker compose, or nothing."""
    if app.named_files:
        return ""
    if os.path.lexists(app.override) and not compose.is_ours(app.override):
        return f"{compose.OVERRIDE_NAME} is there and is not ours"
    others = app.compose().files[1:]
    return f"docker compose reads one override only, and {others[0]} is there" if others else ""


def require_read(app: App) -> None:
    """Make sure that docker compose still reads all that the app runs by, now that our override is there.

    :raises BadInputError: another override has come beside ours.
    """
    if compose.is_ours(app.override) and in_the_way(app):
        own, other = app.compose().files[:2]
        raise BadInputError(
            f"Beside the proxy's {compose.OVERRIDE_NAME} in {app.path} lies {other}, which docker compose doesn't read "
            f"then: move what it says into {own}, or take it away; nothing was changed."
        )


def put_override(run: Runner, app: App, text: str) -> bool:
    """Write our override, or remove it when there is no text; return whether that changed anything.

    :raises JunoError: the name is taken, or the disk refuses.
    """
    if read(app.override) == text:
        return False  # also where something else has come in the way since
    if not text:
        there = compose.is_ours(app.override)
        if there:
            os.unlink(app.override)
        return there
    reason = in_the_way(app)
    if reason:
        raise BadInputError(
            f"The proxy can't be put before the app in {app.path} ({reason}): move what it says into the compose file."
        )
    if not app.named_files:
        exclude.leave_alone(run, app.path, compose.OVERRIDE_NAME)
    return put(app.override, text)


def settle(run: Runner, app: App) -> None:
    """Move our override to its place: since it was written, compose files have been named, or no longer are.

    :raises JunoError: another override is in the way there.
    """
    former = app.former_override
    if not compose.is_ours(former):
        return
    if not compose.is_ours(app.override):
        put_override(run, app, read(former))
    os.unlink(former)


def configuration(directory: str) -> str:
    """Return HAProxy's configuration file in the proxy's folder."""
    return os.path.join(directory, names.CONFIG_NAME)


def put_configuration(proxy: names.Proxy) -> bool:
    """Write HAProxy's configuration and what it reads; return whether the configuration changed."""
    try:
        os.makedirs(os.path.join(proxy.directory, "run"), mode=0o750, exist_ok=True)
    except OSError as exc:
        raise JunoError(
            f"{proxy.directory} can't be made ({exc.strerror}): free disk space or fix the permissions."
        ) from exc
    for name, text in (("maintenance.html", PAGE), ("maintenance.map", OFF), ("switch.map", NO_SWITCH)):
        path = os.path.join(proxy.directory, name)
        if not os.path.exists(path):  # a person may have a page of their own
            put(path, text)
    return put(configuration(proxy.directory), haproxy.write(proxy))
