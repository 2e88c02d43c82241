# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: where the effective settings find the app's parts.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.databases import mount_of, real_path


def relative(path: str, mounts: "list[dict[str, str]]", directory: str) -> str:
    """Return a path from the top of the checkout; nothing for one outside of it, and for the top itself."""
    path = os.path.abspath(path)
    if "site-packages" in path or "dist-packages" in path:
        return ""
    mount = mount_of(path, mounts)
    if mount["kind"] == "checkout":
        found = os.path.relpath(real_path(path, mount, "source"), directory)
    elif mount["kind"] == "container":
        # The image's working directory is where its Dockerfile copied the checkout to.
        found = os.path.relpath(path, os.getcwd())
    else:
        return ""
    return "" if found == "." or found.startswith("..") else found


def static_at(settings: t.Any) -> "dict[str, str]":
    """Return the static root and its manifest's name; nothing where files are kept elsewhere, or without a manifest."""
    if "django.contrib.staticfiles" not in settings.INSTALLED_APPS or not settings.STATIC_ROOT:
        return {}
    stores = getattr(settings, "STORAGES", None) or {}
    name = (stores.get("staticfiles") or {}).get("BACKEND") or getattr(settings, "STATICFILES_STORAGE", "")
    try:
        kind = importlib.import_module("django.utils.module_loading").import_string(name)
        local = issubclass(kind, importlib.import_module("django.core.files.storage").FileSystemStorage)
    except Exception:  # noqa: BLE001 - a module of the app's own raises what it likes; it is told when it collects
        return {}
    manifest = str(getattr(kind, "manifest_name", "") or "")
    return {"root": os.path.abspath(str(settings.STATIC_ROOT)), "manifest": manifest} if local and manifest else {}


def layout(settings: t.Any, mounts: "list[dict[str, str]]", directory: str) -> "dict[str, list[str]]":
    """Return the folders of apps, templates, static files and translations; the apps are loaded."""
    configs = importlib.import_module("django.apps").apps.get_app_configs()
    found = {
        "apps": [config.path for config in configs],
        "templates": [one for engine in settings.TEMPLATES for one in engine.get("DIRS") or []],
        # Each may be a pair with the prefix below which it is found.
        "static": [one[1] if isinstance(one, (list, tuple)) else one for one in settings.STATICFILES_DIRS or []],
        "locale": list(settings.LOCALE_PATHS or []),
    }
    return {
        name: sorted({inside for inside in (relative(str(one), mounts, directory) for one in paths) if inside})
        for name, paths in found.items()
    }
