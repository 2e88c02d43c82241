# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say where a Django app's Python runs."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(DJANGO) in C(module_utils/_base/options.py), beside those of the fragment compose.engine."""

    DOCUMENTATION = r"""
options:
  project:
    description:
      - Name of the compose project that the app runs in, as C(docker compose ls) shows it. Needs O(service).
      - Without it the app is meant to be on the managed host itself, in O(chdir).
    type: str
  service:
    description:
      - Name of the compose service in O(project). Its first running container is used.
    type: str
  chdir:
    description:
      - Directory to work in. Required for an app on the host.
      - In a container the working directory of its image is used when this is left out.
    type: str
  virtualenv:
    description:
      - The virtual environment whose Python has Django. An app on the host needs this or O(python).
    type: str
  python:
    description:
      - The Python interpreter that has Django.
      - In a container C(python) is tried when this is left out, then C(python3).
    type: str
  settings:
    description:
      - The settings module, for example V(mysite.settings.production).
      - Without it the environment's C(DJANGO_SETTINGS_MODULE) counts, then what the app's C(manage.py) sets.
    type: str
  manage_py:
    description:
      - Path of the app's C(manage.py), seen from the working directory. It is run as it is, so that an env file which
        it loads counts too.
      - When there is no such file, Django is started without it, and O(settings) or C(DJANGO_SETTINGS_MODULE) is
        needed.
    type: str
    default: manage.py
requirements:
  - Django 2.1 or later and Python 3.6 or later where the app runs
  - Docker SDK for Python on the managed host (package C(python3-docker)) when a container is meant
"""
