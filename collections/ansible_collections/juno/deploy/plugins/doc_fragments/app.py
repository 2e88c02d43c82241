# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say which app a module about releases works on."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(APP), and of C(STATE), in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  path:
    description:
      - The app's git checkout on the managed host, with its compose file.
    type: path
    required: true
  project:
    description:
      - Name of the compose project, as C(docker compose ls) shows it.
    type: str
    required: true
  service:
    description:
      - The compose service that runs Django and publishes the site's port.
    type: str
    default: web
  worker_services:
    description:
      - Further compose services that run the app's code and must get the new release too, for example a task queue.
      - Those are found by themselves that share the image, the build or the mounted code of O(service).
    type: list
    elements: str
    default: []
  exclude_services:
    description:
      - Compose services that are not to be taken for such, whatever they share with O(service).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  compose_files:
    description:
      - The compose files, relative to O(path), in the order in which they are merged.
      - Paths in them count from the folder of the first one, and C(.env) is read there, as with C(docker compose -f).
      - Without them those are taken that C(docker compose) itself would take, so those that C(COMPOSE_FILE) names where
        C(.env) or the environment has it; where it would find none, the one in the only folder below O(path) that has
        one.
    type: list
    elements: str
    default: []
  docker_host:
    description:
      - Address of the Docker Engine, for the SDK and for C(docker), for example V(unix:///var/run/docker.sock).
      - Without it, what C(DOCKER_HOST) names in the environment of the managed host, else the local socket.
    type: str
  check_entrypoint:
    description:
      - A program in the image by which throwaway containers (the check, migrations) run their command, as an entry
        point.
      - Without it they run the command itself, with what the entry point of the container that serves adds to its
        environment, and never the image's entry point, which may migrate or change data.
    type: str
    default: ''
requirements:
  - git
  - docker with the compose plugin 2.18 or later
  - Docker SDK for Python (package C(python3-docker))
"""

    # Where the journals are.
    STATE = r"""
options:
  state_root:
    description:
      - Directory on the managed host below which each app's journal is kept.
    type: path
    default: /var/lib/juno
"""
