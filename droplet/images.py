# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images: Debian with Python for the sites, and the droplets. Built when absent or out of date."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import shutil
import tempfile

from droplet import debian, state
from droplet.process import attempt, run, say

LABEL = "juno.recipe"
HERE = pathlib.Path(__file__).resolve().parent
BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """An image, and the files it is made from."""

    name: str
    dockerfile: str
    files: tuple[str, ...] = ()


BASE = Recipe("juno-base:trixie", "base.Dockerfile")
PYTHON = Recipe("juno-python:trixie", "python.Dockerfile")
DROPLET = Recipe("juno-droplet:trixie", "droplet.Dockerfile", ("entrypoint.sh",))
BARE = Recipe("juno-droplet-bare:trixie", "bare.Dockerfile", ("entrypoint.sh",))
#: Releases of Debian whose memcached (1.6.9, 1.6.18, the newest) tests ask for beside that of C(PYTHON): they differ in
#: what they speak, and in what a flush leaves behind.
MEMCACHED_SUITES = ("bullseye", "bookworm", "sid")
#: PostgreSQL, nginx, Redis and a virtual environment with what larger sites use, for the tests of such sites.
SERVICES = Recipe("juno-services:trixie", "services.Dockerfile", ("postgres.sh",))
#: Traefik, which Debian doesn't have.
TRAEFIK = Recipe("juno-traefik:trixie", "traefik.Dockerfile")
#: A droplet that systemd starts, for the tests of what happens after a reboot.
SYSTEMD = Recipe("juno-droplet-systemd:trixie", "systemd.Dockerfile")
NAMED = {"services": SERVICES, "traefik": TRAEFIK}
#: Images that a test asks for by a short name.
ON_DEMAND = (*(f"memcached-{suite}" for suite in MEMCACHED_SUITES), *NAMED)


def up(*, bare: bool = False) -> list[str]:
    """See that the images are there in the state of their recipes; return their names."""
    wanted = [PYTHON, DROPLET, *([BARE] if bare else [])]
    with state.locked("images"):
        bundle = trusted()
        base = digest(BASE, bundle)
        if current(BASE.name) != base and any(current(one.name) != digest(one, base) for one in wanted):
            _build(BASE, base, bundle, {"BASE": debian.obtain()})
        due = [one for one in wanted if current(one.name) != digest(one, base)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
            jobs = [pool.submit(_build, one, digest(one, base), bundle, {}) for one in due]
            for job in jobs:
                job.result()
        if due:
            _prune()
    return [one.name for one in wanted]


def memcached(suite: str) -> Recipe:
    """Return the recipe of the memcached of a release of Debian."""
    return Recipe(f"juno-memcached:{suite}", "memcached.Dockerfile")


def on_demand(name: str) -> str:
    """See that the image with a short name of C(ON_DEMAND) is there in the state of its recipe; return its name."""
    suite = name.partition("memcached-")[2]
    return _see_to(memcached(suite), PYTHON, suite) if suite else _see_to(NAMED[name], PYTHON)


def systemd() -> Recipe:
    """See that the image of a droplet that systemd starts is there; return its recipe."""
    _see_to(SYSTEMD, DROPLET)
    return SYSTEMD


def _see_to(recipe: Recipe, base: Recipe, suite: str = "") -> str:
    with state.locked("images"):
        wanted = digest(recipe, current(base.name) + suite)
        if current(recipe.name) != wanted:
            _build(recipe, wanted, b"", {"SUITE": suite} if suite else {})
            _prune()
    return recipe.name


def down() -> None:
    """Remove the images that were built here. One that a container still uses stays, and is named."""
    recipes = (*map(memcached, MEMCACHED_SUITES), SERVICES, TRAEFIK, BARE, SYSTEMD, DROPLET, PYTHON, BASE)
    with state.locked("images"), state.locked("state"):
        known = state.load()
        kept = []
        for name in (*(one.name for one in recipes), *debian.names(debian.SUITE)):
            if name in known.get("images", []):
                removed = attempt(["docker", "image", "rm", name])
                if removed.returncode and "No such image" not in removed.stderr:
                    say(f"The image {name} stays: {removed.stderr.strip()}")
                    kept.append(name)
        known["images"] = kept
        state.save(known)


def trusted() -> bytes:
    """Return the certificates that this machine trusts, so that its containers trust them too."""
    file = pathlib.Path(os.environ.get("SSL_CERT_FILE") or BUNDLE)
    return file.read_bytes() if file.is_file() else b""


def digest(recipe: Recipe, base: str | bytes) -> str:
    """Return what the image's content follows from: its files, and the digest of what it builds on."""
    summed = hashlib.sha256(base if isinstance(base, bytes) else base.encode())
    for name in (recipe.dockerfile, *recipe.files):
        summed.update((HERE / name).read_bytes())
    return summed.hexdigest()[:16]


def current(name: str, *, through: tuple[str, ...] = ()) -> str:
    """Return the recipe an image was built from, on this Engine or on the one that C(through) leads to."""
    argv = [*through, "docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name]
    asked = attempt(argv)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _prune() -> None:
    """Remove what these names meant before, and the first stages of builds, when nothing uses them any more."""
    run(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}"])


def _build(recipe: Recipe, recipe_digest: str, bundle: bytes, arguments: dict[str, str]) -> None:
    say(f"Building {recipe.name} ...")
    with tempfile.TemporaryDirectory(prefix="juno-image-") as context:
        folder = pathlib.Path(context)
        for name in (recipe.dockerfile, *recipe.files):
            shutil.copy(HERE / name, folder / name)
        (folder / "ca-certificates.crt").write_bytes(bundle)
        argv = ["docker", "build", "--force-rm", "--file", str(folder / recipe.dockerfile), "--tag", recipe.name]
        argv += ["--label", f"{LABEL}={recipe_digest}"]
        argv += [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
        log = state.LOGS / f"{recipe.dockerfile.partition('.')[0]}.log"
        # The classic builder is always there and keeps no cache of its own to clean up after.
        run([*argv, context], timeout_seconds=900, log=log, env={"DOCKER_BUILDKIT": "0"})
    state.add("images", [recipe.name])
