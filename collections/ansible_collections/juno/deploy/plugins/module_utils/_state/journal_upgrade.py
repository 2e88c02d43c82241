# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as earlier versions wrote them, in the fields of today. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

#: What a field, or a value of C(step), was called in schema 1.
NAMES = {
    "order": "spec",
    "caches_owed": "invalidation_pending",
    "workers_told": "workers_signalled",
    "epoch": "cache_version",
    "epoch_others": "cache_version_others",
    "epoch_covers": "cache_version_covers",
    "edge": "proxy",
    "edge_image": "proxy_image",
    "edge_pull": "proxy_pull",
    "moved_to_edge": "moved_to_proxy",
    "doors": "published_ports",
    "probe_path": "readiness_path",
    "keep_cache_mb": "build_cache_keep_mb",
}
STEPS = {"proved": "verified"}
#: Fields that hold fields.
PARTS = ("spec", "before")


def upgraded(raw: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a release with the names of today; what has them already stays."""
    found = _renamed(raw)
    for part in PARTS:
        if isinstance(found.get(part), dict):
            found[part] = _renamed(found[part])
    if isinstance(found.get("step"), str):
        found["step"] = STEPS.get(found["step"], found["step"])
    figures = found.get("figures")
    if isinstance(figures, dict) and isinstance(figures.get("steps"), dict):
        steps = {"verify" if name == "prove" else name: took for name, took in figures["steps"].items()}
        found["figures"] = {**figures, "steps": steps}
    # It was noted once only that migrating had begun.
    return {**found, "migrating": {}} if found.get("migrating") is True else found


def _renamed(raw: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name if NAMES.get(name) in raw else NAMES.get(name, name): value for name, value in raw.items()}
