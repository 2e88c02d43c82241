# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is called in the status. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container


def of(one: Container, names: t.Collection[str], commit: str = "") -> str:
    """Return the image of a container as a person knows it: our name for its commit, else what compose calls it.

    Another name may be another release's, of the same image, or a person's; without any it is the short id.
    """
    ours = [name for name in names if ":juno-" in name and commit and f":juno-{commit[:12]}" in name]
    # Services that are built alike share an image, and each has names for it.
    ours.sort(key=lambda name: (not name.partition(":")[0].endswith(one.service), len(name)))
    rest = sorted(names, key=lambda name: ":juno-" in name)
    called = [one.image_name] if {one.image_name, f"{one.image_name}:latest"} & set(names) else []
    return next(iter((*ours, *called, *rest)), one.image_id.partition(":")[2][:12])
