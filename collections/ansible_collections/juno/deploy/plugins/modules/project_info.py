#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look at a compose project, and write an inventory entry for it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: project_info
short_description: Look at a compose project, and write an inventory entry for it
version_added: 0.2.0
description:
  - Finds out what a deploy of the project has to be told. Which service runs Django, which compose files and branch it
    is run by, by which name its pages are asked for. Each is written as a variable with the reason.
  - What is as the defaults have it (front proxy, workers, databases, caches, static files) is told in comments, with
    the strategy that a deploy would take and why.
  - What keeps a deploy from working is told with the change that it needs. A deploy asks the same before it does
    anything.
  - Asks docker compose, the Engine and git, and the site itself where it runs. Fetches nothing, asks for no page, takes
    no lock and changes nothing.
  - Tells no values of environment variables, and takes what is secret out of all that it tells.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.attributes.info
attributes:
  platform:
    support: full
    platforms: posix
options:
  path:
    description:
      - The project's directory on the managed host, the top of its git checkout.
    type: path
    required: true
  service:
    description:
      - The compose service that runs Django. Without it, it is looked for.
    type: str
  worker_services:
    description:
      - Compose services that run the app's code beside O(service) and are not found by themselves.
    type: list
    elements: str
    default: []
  exclude_services:
    description:
      - Compose services that are not to be taken for such.
    type: list
    elements: str
    default: []
  compose_files:
    description:
      - The compose files, relative to O(path). Without them those that the project's containers were started by, or
        that C(docker compose) itself would take.
    type: list
    elements: str
    default: []
  docker_host:
    description:
      - Address of the Docker Engine, as for M(juno.deploy.release_begin).
    type: str
  state_root:
    description:
      - Directory on the managed host below which each app's journal is kept.
    type: path
    default: /var/lib/juno
  remote:
    description:
      - The git remote that is deployed from. Without it the one that the branch follows.
    type: str
  branch:
    description:
      - The branch that is deployed. Without it the one of the checkout.
    type: str
  base_url:
    description:
      - The site's address on the host. Without it the first port that is published tells it.
    type: str
  strategy:
    description:
      - The strategy that a deploy is asked for.
    type: str
    default: rolling
    choices: [rolling, reload, recreate]
  proxy_image:
    description:
      - The image of the app's proxy.
    type: str
    default: haproxy:3.0
  others:
    description:
      - All else that is set already, by its names in the entry. It is written there as it is, and nothing else is found
        in its place.
    type: dict
    default: {}
  prefix:
    description:
      - What the names of variables in the entry begin with; for the role P(juno.deploy.django_app#role) that is
        V(django_app_).
    type: str
    default: ''
seealso:
  - module: juno.deploy.release_begin
  - module: juno.deploy.release_info
  - module: juno.deploy.django_info
author:
  - juno.deploy contributors (@juno-deploy)
requirements:
  - git
  - docker with the compose plugin 2.18 or later
  - Docker SDK for Python (package C(python3-docker))
"""

EXAMPLES = r"""
- name: Look at a project
  juno.deploy.project_info:
    path: /srv/site
    prefix: django_app_
  register: project

- name: Show the entry
  ansible.builtin.debug:
    msg: "{{ project.entry | join('\n') }}"
"""

RETURN = r"""
entry:
  description: The entry, as lines of YAML with comments.
  returned: success
  type: list
  elements: str
  sample: ["# found: the compose project 'site' (compose.yml)", "django_app_path: /srv/site"]
variables:
  description: What the entry sets, by name.
  returned: success
  type: dict
  sample: {django_app_path: /srv/site, django_app_service: app}
service:
  description: The service that runs Django; empty where a person has to choose one.
  returned: success
  type: str
  sample: app
services:
  description: The services that look like it, where O(service) is not set and more than one does.
  returned: success
  type: list
  elements: str
  sample: [app]
problems:
  description: What keeps a deploy from working, each with what to do.
  returned: success
  type: list
  elements: str
  sample: []
strategy:
  description: The strategy that a deploy would take; empty where that is not known.
  returned: success
  type: str
  sample: rolling
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import options, strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._init import facts, look
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Look."""
    params = {name: value for name, value in module.params.items() if value is not None}
    prefix = params.pop("prefix")
    if not os.path.isabs(params["path"]):
        raise BadInputError(
            f"The project's directory must be an absolute path, not '{params['path']}': correct 'path'."
        )
    if "docker_host" in params:
        # The commands of docker and compose have to reach the same Engine.
        os.environ["DOCKER_HOST"] = params["docker_host"]
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}
    return look.look(run_command, facts.Given(**{**plain, "path": os.path.normpath(params["path"])}), prefix)


def main() -> None:
    """Run the module."""
    words = {"type": "list", "elements": "str", "default": []}
    spec = {
        "path": {"type": "path", "required": True},
        "service": {"type": "str"},
        "worker_services": words,
        "exclude_services": words,
        "compose_files": words,
        "docker_host": {"type": "str"},
        **options.STATE,
        "remote": {"type": "str"},
        "branch": {"type": "str"},
        "base_url": {"type": "str"},
        "strategy": {"type": "str", "default": strategies.DEFAULT, "choices": list(strategies.NAMES)},
        "proxy_image": {"type": "str", "default": options.default(options.PROXY, "image")},
        "others": {"type": "dict", "default": {}},
        "prefix": {"type": "str", "default": ""},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
