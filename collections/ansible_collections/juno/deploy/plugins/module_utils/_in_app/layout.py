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


#: By which setting backends of django-storages are told their bucket, by the name of its option.
BUCKETS = {"s3": "AWS_STORAGE_BUCKET_NAME", "s3boto3": "AWS_STORAGE_BUCKET_NAME", "gcloud": "GS_BUCKET_NAME"}


def static_at(settings: t.Any) -> "dict[str, str]":
    """Return the static root and its manifest's name; for storage that is no folder where that is (C(place)).

    Nothing where a folder has no manifest, or the storage can't be told.
    """
    if "django.contrib.staticfiles" not in settings.INSTALLED_APPS:
        return {}
    stores = getattr(settings, "STORAGES", None) or {}
    conf = stores.get("staticfiles") or {}
    name = conf.get("BACKEND") or getattr(settings, "STATICFILES_STORAGE", "")
    try:
        kind = importlib.import_module("django.utils.module_loading").import_string(name)
        local = issubclass(kind, importlib.import_module("django.core.files.storage").FileSystemStorage)
    except Exception:  # noqa: BLE001 - a module of the app's own raises what it likes; it is told when it collects
        return {}
    if not local:
        return {"place": _place(settings, str(name), kind, conf.get("OPTIONS") or {})}
    manifest = str(getattr(kind, "manifest_name", "") or "")
    root = str(settings.STATIC_ROOT or "")
    return {"root": os.path.abspath(root), "manifest": manifest} if root and manifest else {}


def _place(settings: t.Any, name: str, kind: type, options: "dict[str, t.Any]") -> str:
    """Return in words where a storage keeps its files, which is not made for that: it may write as soon as it is."""
    modules = {one.__module__.rpartition(".")[2] for one in kind.__mro__ if one.__module__.startswith("storages.")}
    named = next((BUCKETS[one] for one in sorted(modules) if one in BUCKETS), "")
    bucket = options.get("bucket_name") or getattr(kind, "bucket_name", None) or getattr(settings, named, None)
    return f"the bucket '{bucket}' ({name})" if named and bucket else name


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
