# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: have a storage write to a staging folder, and look what differs from the root.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import importlib
import json
import os
import re
import shutil
import tempfile
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import manifest_hash, overridden
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import OURS, Move, plain, same, walk

WORD = "juno-staging"
#: A folder whose maker can't be asked for is taken for left over when nothing came into it for so long.
LEFT_OVER_SECONDS = 86_400
_MAKER = re.compile(WORD + r"-(?P<space>[0-9]+)-(?P<pid>[0-9]+)-")
#: The attributes by which a FileSystemStorage knows where it is.
PLACE = ("_location", "base_location", "location")


def real_storage() -> t.Any:
    """Return the storage itself, not Django's lazy object around it."""
    storage = importlib.import_module("django.contrib.staticfiles.storage").staticfiles_storage
    storage.__class__  # noqa: B018 - has the lazy one made
    return getattr(storage, "_wrapped", storage)


def why_not(storage: t.Any) -> str:
    """Return why a storage can't be staged; nothing when it can."""
    name = f"{storage.__class__.__module__}.{storage.__class__.__qualname__}"
    if not isinstance(storage, importlib.import_module("django.core.files.storage").FileSystemStorage):
        return f"{name} is not a folder; left to Django"
    if not getattr(storage, "location", None):
        return f"{name} has no folder; left to Django"
    with pointed(storage, "/juno/nowhere"):
        # An app may give its storage a place that is not ours to change.
        if storage.location != "/juno/nowhere" or storage.path("a.css") != "/juno/nowhere/a.css":
            return f"{name} finds its folder in a way of its own; left to Django"
    return ""


@contextlib.contextmanager
def pointed(storage: t.Any, place: str) -> "t.Iterator[None]":
    """Have the storage read and write at a place."""
    with overridden(storage, dict.fromkeys(PLACE, place)):
        yield


class Stage:
    """A folder beside the static root, or elsewhere, that is collected into first."""

    def __init__(self, storage: t.Any, dry: bool) -> None:
        """Make the folder; a dry one is never beside the root when it can be elsewhere."""
        self.storage, self.root = storage, os.path.realpath(storage.location)
        self.folder = _make(self.root, dry)
        self.tree = os.path.join(self.folder, "new")
        self.held = False
        if os.path.isdir(self.root):
            # With its attributes: what is made inside inherits the same access list, group and label.
            os.mkdir(self.tree)
            shutil.copystat(self.root, self.tree)
            with contextlib.suppress(OSError):
                os.chown(self.tree, -1, os.stat(self.root).st_gid)

    def run(self, command: "t.Callable[[], object]") -> None:
        """Run Django's collectstatic into the folder; a manifest that is kept elsewhere is held back."""
        elsewhere = getattr(self.storage, "manifest_storage", self.storage) is not self.storage
        with (
            overridden(self.storage, {"save_manifest": self._hold} if elsewhere else {}),
            pointed(self.storage, self.tree),
        ):
            command()

    def _hold(self) -> None:
        self.held = True

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def manifest(self) -> "dict[str, t.Any] | None":
        """Return the manifest that was made, wherever it is going to be; None when there is none."""
        if self.held:
            paths = getattr(self.storage, "hashed_files", {})
            return {"paths": dict(paths)}
        if not hasattr(self.storage, "read_manifest"):
            return None
        with pointed(self.storage, self.tree):
            text = self.storage.read_manifest()
        return dict(json.loads(text)) if text else None

    def differing(self, live: "dict[str, os.stat_result]", clear: bool) -> "dict[str, list[str]]":
        """Return what of the root is new, replaced and removed, each in the order in which that is to happen."""
        staged = walk(self.tree)
        last = getattr(self.storage, "manifest_name", None)
        new = [name for name in staged if name not in live]
        replaced = [
            name
            for name, seen in staged.items()
            if name in live and not self._same(name, seen, live[name], name == last)
        ]
        # Served in the place of the file beside it, a compressed one of earlier content would be old content.
        stale = {name for name in live if name not in staged and plain(name) != name and plain(name) in replaced}
        gone = {name for name in live if name not in staged} if clear else stale

        def turn(name: str) -> "tuple[bool, bool, str]":
            return name == last, not HASHED.match(plain(name)), name

        return {"new": sorted(new, key=turn), "replaced": sorted(replaced, key=turn), "removed": sorted(gone)}

    def _same(self, name: str, seen: "os.stat_result", also: "os.stat_result", manifest: bool) -> bool:
        staged, live = os.path.join(self.tree, name), os.path.join(self.root, name)
        if same(staged, live, seen, also):
            return True
        if not manifest:
            return False
        # The order of its entries is that in which files were found.
        with open(staged, encoding="utf-8") as one, open(live, encoding="utf-8") as other:
            try:
                new, old = json.load(one), json.load(other)
            except ValueError:
                return False
        return bool(new.get("paths") == old.get("paths")) and manifest_hash(new) == manifest_hash(old)

    def bring(self, change: "dict[str, list[str]]") -> None:
        """Bring what differs into the root: new names, replaced files, the manifest; then remove what is to go."""
        kept = os.path.join(self.folder, "old")
        os.mkdir(kept)
        move = Move(self.tree, kept, self.root)
        last = getattr(self.storage, "manifest_name", None)
        try:
            self._room(change)
            for name in change["new"]:
                if name != last:
                    move.new(name)
            for name in change["replaced"]:
                if name != last:
                    move.replace(name)
            if self.held:
                self.storage.save_manifest()
            elif last in change["new"]:
                move.new(last)
            elif last in change["replaced"]:
                move.replace(last)
        except BaseException:
            move.undo()
            raise
        for name in change["removed"]:
            move.remove(name)

    def _room(self, change: "dict[str, list[str]]") -> None:
        """Refuse before anything is touched when another file system has no room for it."""
        names = change["new"] + change["replaced"]
        if not os.path.isdir(self.root) or os.stat(self.root).st_dev == os.stat(self.folder).st_dev:
            return
        wanted = sum(os.lstat(os.path.join(self.tree, name)).st_size for name in names)
        free = os.statvfs(self.root)
        if wanted > free.f_bavail * free.f_frsize:
            raise OSError(f"{self.root} has no room for {wanted} bytes of static files: nothing of it was changed")


#: A name with Django's hash of the content: the name before it, the hash, the ending.
HASHED = re.compile(r"(?P<stem>.*)\.(?P<hash>[0-9a-f]{12})(?P<ending>\.[^./]*)?$", re.DOTALL)


def _make(root: str, dry: bool) -> str:
    """Make the staging folder: beside the root, where a rename brings a file in, else where temporary files are."""
    prefix = _prefix()
    beside = os.path.dirname(root)
    places = []
    if not os.path.ismount(root):
        places.append((beside, f".{os.path.basename(root)}.{prefix}"))
    with contextlib.suppress(OSError):
        places.append((tempfile.gettempdir(), prefix))
    places = (list(reversed(places)) if dry else places) + [(root, f"{OURS}-{prefix}")]
    for place, start in places:
        sweep(place, start[: start.index(WORD)])
        try:
            if place == beside and not dry:
                os.makedirs(place, exist_ok=True)
            return tempfile.mkdtemp(prefix=start, dir=place)
        except OSError as exc:
            error = exc
    raise error


def _prefix() -> str:
    return f"{WORD}-{_space()}-{os.getpid()}-"


def _space() -> str:
    """Return what tells our process ids from those of another container."""
    try:
        return re.sub("[^0-9]", "", os.readlink("/proc/self/ns/pid"))
    except OSError:
        return "0"


def aside() -> str:
    """Make a staging folder where temporary files are, and remove what killed runs left there; return its path."""
    place = tempfile.gettempdir()
    sweep(place, "")
    return tempfile.mkdtemp(prefix=_prefix(), dir=place)


def sweep(place: str, start: str) -> None:
    """Remove what killed runs left at a place: their process is gone, or nobody can be asked and it is old."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            made = _MAKER.match(entry.name[len(start) :]) if entry.name.startswith(start) else None
            if made is None:
                continue
            gone = made.group("space") == _space() != "0" and not os.path.exists(f"/proc/{made.group('pid')}")
            if gone or time.time() - os.lstat(entry.path).st_mtime > LEFT_OVER_SECONDS:
                shutil.rmtree(entry.path, ignore_errors=True)
