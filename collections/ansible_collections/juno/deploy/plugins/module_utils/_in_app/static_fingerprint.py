# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: whether a collectstatic would find all as it left it.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

What the command makes hangs on the sources' content, on the code that collects, and on settings. When they are what
they were, and the files in the root are too, nothing needs to run.
"""

import hashlib
import importlib
import json
import os
import re
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import COMPRESSED

#: How settings begin that a storage or a finder may read.
SETTINGS = ("STATIC", "STORAGES", "WHITENOISE_", "FILE_UPLOAD_", "PIPELINE", "COMPRESS", "DEBUG")
#: Where files are is no matter for what they hold: another release may have another folder.
PLACES = ("STATIC_ROOT", "STATICFILES_DIRS")
OWN = ("django.", "whitenoise.")
#: Two changes of a file within so many seconds may leave it the same time.
RACY_SECONDS = 2
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def sources(ignore: "list[str]") -> "dict[str, tuple[t.Any, str]]":
    """Return what the command would collect: name in the root, the source's storage, name in there."""
    config = importlib.import_module("django.apps").apps.get_app_config("staticfiles")
    # Django 2.1 has them in the command.
    usual = getattr(config, "ignore_patterns", ["CVS", ".*", "*~"])
    patterns = list({os.path.normpath(one) for one in [*ignore, *usual]})
    found: dict[str, tuple[t.Any, str]] = {}
    for finder in importlib.import_module("django.contrib.staticfiles.finders").get_finders():
        for path, storage in finder.list(patterns):
            prefix = getattr(storage, "prefix", None)
            found.setdefault(os.path.join(prefix, path) if prefix else path, (storage, path))
    return found


def contents(found: "dict[str, tuple[t.Any, str]]", last: "dict[str, str]", since: float) -> "dict[str, str]":
    """Return of each source a sum over its content and, behind a blank, what its file looks like.

    C(last) is what this returned at C(since), in seconds since the epoch. A file that looks as it did then is not read
    again, unless it had changed so shortly before that another change may have left the same time.
    """
    result = {}
    trusted = (since - RACY_SECONDS) * 1e9
    for name, (storage, path) in found.items():
        try:
            seen = os.stat(storage.path(path))
        except NotImplementedError:  # a source that is no file
            result[name] = _content(storage, path)
            continue
        # The inode and the time of its last change tell a file from another one that was given its time.
        look = f" {seen.st_size:x}.{seen.st_mtime_ns:x}.{seen.st_ctime_ns:x}.{seen.st_ino:x}"
        known = last.get(name, "")
        if not (known.endswith(look) and seen.st_ctime_ns < trusted):
            known = _content(storage, path) + look
        result[name] = known
    return result


def digest(found: "dict[str, tuple[t.Any, str]]", content: "dict[str, str]", storage: t.Any, link: bool) -> str:
    """Return a sum over the content of all sources (see C(contents)), the code and the settings."""
    total = hashlib.sha256()
    for name in sorted(found):
        total.update(f"{name}\0{content_of(content[name])}\0".encode("utf-8", "surrogateescape"))
        storage_of, path = found[name]
        # What a link points to is part of what is made.
        total.update(storage_of.path(path).encode("utf-8", "surrogateescape") if link else b"")
    for part in (*_code(storage), *_settings(), str(link)):
        total.update(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest())
    return total.hexdigest()


def content_of(one: str) -> str:
    """Return the sum over the content in what C(contents) gives of a source."""
    return one.partition(" ")[0]


def _content(storage: t.Any, path: str) -> str:
    """Return half of a sum over the content: it is remembered for each file, and tells chance from change."""
    try:
        file = os.open(storage.path(path), os.O_RDONLY)
    except NotImplementedError:
        with storage.open(path) as opened:
            return hashlib.sha256(opened.read()).hexdigest()[:32]
    try:
        total = hashlib.sha256()
        while True:
            chunk = os.read(file, 1 << 20)
            total.update(chunk)
            if len(chunk) < 1 << 20:
                return total.hexdigest()[:32]
    finally:
        os.close(file)


def _code(storage: t.Any) -> "t.Iterator[str]":
    yield sys.version
    yield importlib.import_module("django").get_version()
    for name in ("whitenoise", "brotli"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            yield "no " + name
        else:
            yield f"{getattr(module, '__version__', '')} {getattr(module, '__file__', '')}"
    for kind in storage.__class__.__mro__:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        yield f"{kind.__module__}.{kind.__qualname__}"
        if file and os.path.isfile(file):
            with open(file, encoding="utf-8", errors="surrogateescape") as opened:
                yield opened.read()


def _settings() -> "t.Iterator[str]":
    settings = importlib.import_module("django.conf").settings
    for name in sorted(dir(settings)):
        if name.startswith(SETTINGS) and name not in PLACES:
            yield f"{name}={_stable(getattr(settings, name))}"


def _stable(value: t.Any) -> str:
    """Return a text for a value that is the same in another process."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{_stable(key)}:{_stable(one)}" for key, one in value.items())) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ",".join(sorted(map(_stable, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_stable, value)) + "]"
    return _ADDRESS.sub("", repr(value))


def why_unsure(storage: t.Any, command: t.Any) -> str:
    """Return why nothing but a run can tell what it makes; nothing when a fingerprint can."""
    if command is None:
        owner = importlib.import_module("django.core.management").get_commands().get("collectstatic")
        owner = owner if isinstance(owner, str) else owner.__class__.__module__
    else:
        owner = command.__class__.__module__
    if not f"{owner}.".startswith(OWN):
        return f"the app has a collectstatic of its own ({owner})"
    for base in storage.__class__.__mro__:
        if "post_process" in vars(base) and not f"{base.__module__}.".startswith(OWN):
            return f"{base.__module__}.{base.__qualname__} processes files in a way of its own"
    return ""


def watched(names: "t.Iterable[str]", live: "dict[str, os.stat_result]") -> str:
    """Return a sum over size and time of the files with these names, and of the compressed ones beside them."""
    lines = []
    for name in sorted(set(names)):
        for ending in ("", *COMPRESSED):
            seen = live.get(name + ending)
            if seen is not None or not ending:
                lines.append([name + ending, seen and seen.st_size, seen and seen.st_mtime_ns, seen and seen.st_mode])
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()
