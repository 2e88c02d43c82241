# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec of a release as its modules hand it over, for tests."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options


def defaults(spec: options.Spec) -> dict[str, t.Any]:
    """Return what a module has without being told, as Ansible makes it of an argument spec."""
    return {
        name: defaults(option["options"]) if option.get("apply_defaults") else option.get("default")
        for name, option in spec.items()
    }


def release(**more: t.Any) -> dict[str, t.Any]:
    """Return the spec of a deploy with nothing but what it must have; of a group, only the rest is replaced."""
    spec = {**defaults(options.RELEASE), "path": "/root/x", "project": "jobs"}
    return {**spec, **{name: _over(spec[name], value) for name, value in more.items()}}


def _over(known: t.Any, value: t.Any) -> t.Any:
    return {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
