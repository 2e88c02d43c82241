# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that lie in the app's checkout without git: a style sheet built there, a compose file. Private to juno.deploy.

The app's own C(collectstatic), run in the checkout, takes such static files. One from a clean checkout would leave them
out of the manifest, and every page that names one would fail.
"""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import listed

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._rules import rules

#: Folders of tools and of packages, which Django finds by other ways, if at all.
_OTHERS = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__"})
#: Where static files are looked for as long as no release has told it.
_USUAL = (":(glob)**/static/**", ":(glob)**/assets/**")
MANIFEST = "staticfiles.json"


def places(layout: rules.Layout) -> tuple[str, ...]:
    """Return git's patterns for where the settings find static files."""
    if not layout.apps:
        return _USUAL
    return tuple(f":(literal){one}" for one in (*layout.static, *(f"{app}/static" for app in layout.apps)))


def choose(names: list[str]) -> list[str]:
    """Leave out what no finder of Django's looks at, and the folder that files are collected into."""
    roots = tuple(os.path.dirname(name) + "/" for name in names if os.path.basename(name) == MANIFEST)
    return [
        name
        for name in names
        if not name.endswith("/") and not _OTHERS.intersection(name.split("/")) and not name.startswith(roots)
    ]


def copy_compose_into(run: Runner, app: App, checkout: str) -> list[str]:
    """Put compose files that git does not have into a clean checkout, where nothing of their name is; name them.

    Many apps ask for one: a compose.override.yml that .gitignore names, a docker-compose.prod.yml of the host's own.

    :raises JunoError: git can't list them, or one can't be copied.
    """
    names = [name for name in app.named_files if not name.startswith(("/", ".."))]
    names = names or [*compose.FILE_NAMES, *compose.OVERRIDE_NAMES]
    ours = [name for name in names if compose.is_ours(os.path.join(app.path, name))]
    wanted = [f":(literal){name}" for name in names if name not in ours]
    return _copy(app, listed(run, app.path, "--others", "--", *wanted), checkout, "a compose file")


def copy_into(run: Runner, app: App, layout: rules.Layout, checkout: str) -> list[str]:
    """Put them into a clean checkout, where nothing of their name is; name them.

    No link is taken: the app's own code may have put one there, and where it leads would be published.

    :raises JunoError: git can't list them, or one can't be copied.
    """
    names = choose(listed(run, app.path, "--others", "--", *places(layout)))
    return _copy(app, names, checkout, "a static file")


def _copy(app: App, names: list[str], checkout: str, what: str) -> list[str]:
    done = []
    for name in names:
        source = os.path.join(app.path, name)
        if safe_files.exists(checkout, name) or not _is_plain(app.path, name):
            continue
        try:
            safe_files.copy(app.path, name, checkout)
        except OSError as exc:
            raise JunoError(
                f"{source}, {what} that git does not have, can't be copied ({exc.strerror}): free disk space or fix "
                "the permissions."
            ) from exc
        done.append(name)
    return done


def links(run: Runner, app: App, layout: rules.Layout) -> list[str]:
    """Name the links among them, which are not taken.

    :raises JunoError: git can't list them.
    """
    names = choose(listed(run, app.path, "--others", "--", *places(layout)))
    return [name for name in names if os.path.islink(os.path.join(app.path, name))]


def _is_plain(top: str, name: str) -> bool:
    """Return whether a name is a regular file's, without a link in it."""
    try:
        with safe_files.directory(top, os.path.dirname(name)) as folder:
            return stat.S_ISREG(os.lstat(os.path.basename(name), dir_fd=folder).st_mode)
    except OSError:
        return False
