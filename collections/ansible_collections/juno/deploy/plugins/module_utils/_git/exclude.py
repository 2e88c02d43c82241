# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of ours that git takes no notice of. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import own_file

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def leave_alone(run: Runner, path: str, name: str) -> None:
    """Let git take no notice of an untracked file of ours, by the checkout's own exclude file."""
    top, exclude = own_file(run, path, "info/exclude")
    line = f"/{name}"
    try:
        text = safe_files.read(top, exclude).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        text = ""
    except OSError as exc:
        raise JunoError(f"{os.path.join(top, exclude)} can't be read ({exc.strerror}): give access.") from exc
    if line in text.splitlines():
        return
    text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    try:
        safe_files.write(top, exclude, text.encode("utf-8", "surrogateescape"))
    except OSError as exc:
        raise JunoError(
            f"{os.path.join(top, exclude)} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc
