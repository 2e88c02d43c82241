# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say which containers of a compose project a module works in."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(COMPOSE) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  project:
    description:
      - Name of the compose project whose containers are meant, as C(docker compose ls) shows it.
    type: str
  service:
    description:
      - Name of the compose service in O(project).
    type: str
requirements:
  - Docker SDK for Python on the managed host (package C(python3-docker)) when a container is meant
"""

    # For modules about the containers of a site, which say themselves what the project is for.
    SITE = r"""
options:
  service:
    description:
      - The compose service in O(project) that runs Django.
    type: str
    default: web
"""

    # Beside one of the others, or the fragment django.
    ENGINE = r"""
options:
  docker_host:
    description:
      - Address of the Docker Engine, for example V(unix:///var/run/docker.sock) or V(tcp://127.0.0.1:2375).
      - Without it the local socket is used.
    type: str
"""
