# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: whether it is known how static files are found, and what is made of them.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import types
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import plain
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_fingerprint import OWN

#: What Python itself puts into a class.
_USUAL = ("__dict__", "__weakref__", "__annotate__", "__annotate_func__")


def why_not_storage(storage: t.Any) -> str:
    """Return why it is not known how a storage makes files; nothing when it is Django's or WhiteNoise's way."""
    for base in type(storage).__mro__[:-1]:
        known = f"{base.__module__}.".startswith(OWN)
        for name, value in vars(base).items():
            if known and _is_patched(value):
                return f"{base.__module__}.{base.__qualname__} was given another {name}"
            if not known and name not in _USUAL and (callable(value) or hasattr(value, "__get__")):
                return f"{base.__module__}.{base.__qualname__} has a {name} of its own"
    if getattr(storage, "manifest_storage", storage) is not storage:
        return "the manifest is kept elsewhere"
    if hasattr(storage, "hashed_files"):
        for name in ("save_manifest", "_stored_name", "url_converter", "_patterns", "max_post_process_passes"):
            if not hasattr(storage, name):
                return f"{type(storage).__module__}.{type(storage).__qualname__} has no {name}"
    return ""


def _is_patched(value: t.Any) -> bool:
    """Return whether a function of a class comes from elsewhere."""
    return isinstance(value, types.FunctionType) and not f"{value.__globals__.get('__name__')}.".startswith(OWN)


def why_not_sources(found: "dict[str, tuple[t.Any, str]]") -> str:
    """Return why the finders' files are not known to be all there are; nothing when the finders are Django's."""
    finders = importlib.import_module("django.contrib.staticfiles.finders")
    for finder in finders.get_finders():
        kind = type(finder)
        if getattr(kind, "list", None) not in (finders.FileSystemFinder.list, finders.AppDirectoriesFinder.list):
            return f"the finder {kind.__module__}.{kind.__qualname__} lists files in a way of its own"
    for kind in {type(storage) for storage, _path in found.values()}:
        if not f"{kind.__module__}.".startswith("django.core.files.storage."):
            return f"{kind.__module__}.{kind.__qualname__} reads files in a way of its own"
    return ""


def why_not_names(storage: t.Any, found: "t.Container[str]", paths: "dict[str, str]") -> str:
    """Return which source has the name of a file that is made, or of another's compressed one; nothing without any."""
    made = set(paths.values())
    for name in t.cast("t.Iterable[str]", found):
        if name in made or name == getattr(storage, "manifest_name", None):
            return f"{name} is a source, and made of another one"
        if plain(name) != name and (plain(name) in found or plain(name) in made):
            return f"{name} is a source, and the compressed file of another one"
        if "\\" in name:
            return f"{name} has a backslash in its name"
    return ""
