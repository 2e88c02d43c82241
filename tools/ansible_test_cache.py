# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give ansible-test the pip that it wants for its own environments.

C(ansible-test sanity --venv) downloads a script that installs pip, from a host that not every network reaches. It takes
the script from its cache when it is there, so a small one is put there that installs pip from PyPI's own wheel.
"""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess
import sys

CACHE = pathlib.Path("~/.ansible/test/cache").expanduser()

_SCRIPT = '''"""Install what is asked for with the pip in the wheel beside this file. Written by juno.deploy."""

import pathlib
import runpy
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here / "pip-{version}-py3-none-any.whl"))
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install", "--find-links", str(here), *wanted]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def wanted_version(source: str) -> str:
    """Read from ansible-test's source which pip it installs.

    :raises ValueError: the source has another form than expected.
    """
    found = re.search(r"default_packages = dict\(\s*pip='([0-9.]+)'", source)
    if not found:
        raise ValueError("ansible-test no longer says which pip it wants where tools/ansible_test_cache.py looks.")
    return found.group(1)


def fill(folder: pathlib.Path = CACHE) -> bool:
    """Put the script and the wheel into the cache; return whether there was anything to do."""
    package = importlib.util.find_spec("ansible_test")
    if package is None or not package.submodule_search_locations:
        raise ValueError("ansible-test is not installed in this environment: run 'make setup'.")
    place = pathlib.Path(package.submodule_search_locations[0])
    version = wanted_version((place / "_internal" / "python_requirements.py").read_text(encoding="utf-8"))
    script = folder / f"get_pip_{version.replace('.', '_')}.py"
    wheel = folder / f"pip-{version}-py3-none-any.whl"
    if script.exists() and (wheel.exists() or "juno.deploy" not in script.read_text(encoding="utf-8")):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), f"pip=={version}"]
    subprocess.run(pip, check=True)
    script.write_text(_SCRIPT.format(version=version), encoding="utf-8")
    return True


if __name__ == "__main__":
    fill()
