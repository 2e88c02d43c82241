# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers: the Pythons of this machine, an environment for each ansible-core, and the collections they find."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import sys
import tempfile
import zipfile

from droplet.process import attempt, run, say
from tools import steps
from tools.matrix import variants

#: Resolved, since a droplet that is its own controller has it at the same place.
CACHE = (steps.ROOT / ".cache" / "matrix").resolve()
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
#: What ansible-core does not bring and some variants ask for: the connection docker, the callback json.
OTHERS = ("community/docker/", "ansible/posix/")


@dataclasses.dataclass(frozen=True)
class Controller:
    """One ansible-core on one Python."""

    #: Where its environment is.
    folder: pathlib.Path
    #: Its exact version.
    version: str
    #: Where the Python is that it was made with.
    home: pathlib.Path

    def program(self, name: str) -> str:
        """Return the path of one of its commands."""
        return str(self.folder / "bin" / name)


def pythons() -> list[str]:
    """Return the versions of Python that really run here and can make an environment, such as C(3.11)."""
    wanted = {python for row in variants.CORES.values() for python in row}
    wanted |= {one.python for one in variants.REFUSED}
    return [python for python in sorted(wanted) if _find(python)]


def _find(python: str) -> str:
    found = shutil.which(f"python{python}", path=steps.environment()["PATH"])
    return found if found and attempt([found, "-c", "import ensurepip, venv"]).returncode == 0 else ""


def make(variant: variants.Variant) -> Controller:
    """See that the variant's environment is there: ansible-core and what runs it, nothing else of ours or others."""
    packages = [f"ansible-core=={variant.core}.*"]
    packages += ["ansible-runner"] if variant.settings.launcher != "playbook" else []
    folder = CACHE / f"venv-{variant.core}-{variant.python}"
    python, marker = folder / "bin" / "python", folder / ".packages"
    there = marker.read_text(encoding="utf-8").split() if marker.exists() else []
    if missing := [one for one in packages if one not in there]:
        say(f"Installing {', '.join(missing)} for Python {variant.python} ...")
        if not there:
            run([_find(variant.python), "-m", "venv", "--clear", folder], timeout_seconds=300)
        run([python, *PIP, "install", *missing], timeout_seconds=600)
        marker.write_text("\n".join([*there, *missing]), encoding="utf-8")
    # The version, and the folder of the Python itself.
    ask = "import sys, ansible.release; print(ansible.release.__version__, sys.base_prefix)"
    version, home = run([python, "-c", ask]).split()
    return Controller(folder, version, pathlib.Path(home))


def collections(variant: variants.Variant) -> str:
    """Return the path on which the variant's controller finds its collections."""
    settings = variant.settings
    ours = steps.ROOT / "collections" if settings.config == "checkout" else CACHE / "galaxy"
    theirs = [str(_others(variant))] if settings.connection == "docker" or settings.callback == "json" else []
    return os.pathsep.join([str(ours), *theirs])


def install_ours() -> None:
    """Build the collection as it is published, and install it as a user of Galaxy does."""
    galaxy, built = (str(steps.BIN / "ansible-galaxy"), "collection"), CACHE / "build"
    shutil.rmtree(built, ignore_errors=True)
    run([*galaxy, "build", "--force", "--output-path", built, steps.COLLECTION], cwd=steps.ROOT)
    (tarball,) = built.glob("juno-deploy-*.tar.gz")
    shutil.rmtree(CACHE / "galaxy", ignore_errors=True)
    run([*galaxy, "install", "--force", "--offline", tarball, "--collections-path", CACHE / "galaxy"], cwd=CACHE)


def _others(variant: variants.Variant) -> pathlib.Path:
    """See that the collections of others are there, as PyPI's package ansible for this ansible-core has them."""
    target = CACHE / f"others-{variant.core}"
    if target.exists():
        return target
    # ansible 10 is made of ansible-core 2.17, and so on.
    major = int(variant.core.partition(".")[2]) - 7
    say(f"Taking collections out of ansible {major} ...")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        wheels, tree = pathlib.Path(folder, "wheels"), pathlib.Path(folder, "tree")
        python = CACHE / f"venv-{variant.core}-{variant.python}" / "bin" / "python"
        download = ("download", "--no-deps", "--only-binary", ":all:", "--dest", wheels, f"ansible=={major}.*")
        run([python, *PIP, *download], timeout_seconds=600)
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            wanted = tuple(f"ansible_collections/{one}" for one in OTHERS)
            wheel.extractall(tree, [name for name in wheel.namelist() if name.startswith(wanted)])
        tree.rename(target)
    return target


def seen_from(controller: Controller) -> list[str]:
    """Return what tar takes of it so that it works in a droplet: Python, environment, collections."""
    home, name = controller.home, f"python{sys.version_info.major}.*"
    left_out = [f"--exclude={home}/lib/{name}/{one}" for one in ("test", "site-packages", "__pycache__")]
    return [*left_out, str(home), str(controller.folder), str(CACHE / "galaxy"), *map(str, CACHE.glob("others-*"))]
