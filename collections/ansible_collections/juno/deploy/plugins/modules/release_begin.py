#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Begin to change a Django compose app: take its lease, pick up what is half done, look and plan."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_begin
short_description: Begin a deploy, alone and from a known state
version_added: 0.2.0
description:
  - Takes the app's lease, so that one controller at a time changes the app. When another one holds it and is alive,
    the module fails, says who that is, from where and since when, and nothing was changed.
  - A controller is alive for as long as its C(ansible-playbook) runs. Until then it renews a heartbeat on the managed
    host every 5 seconds, also between tasks and while a task takes long.
  - The lease of a dead controller is taken over without asking. At once where it was killed or interrupted, 30 seconds
    after its last heartbeat where it was cut off. What it left running on the host gets 10 seconds to end, and is ended
    then.
  - Finishes or undoes what a dead run left half done, as the journal has it.
  - For O(purpose=rollback), chooses the release to go back to, and fails when it was never complete, its images are no
    longer kept, or a migration came after it that can't be reversed.
  - For O(purpose=deploy), looks at everything a deploy decides from, in one go. The git checkout and the remote's
    branch, the compose project, its containers, the disk, and the journal of what was released before. Plans from it
    whether anything is to be deployed, whether images have to be built, and why.
  - Fails, with nothing changed, when the checkout holds changes that a deploy would overwrite (changed files, commits
    of its own, another branch, untracked files that the new commit brings), or when something that a deploy needs is
    missing.
  - The lease is given back at once after a failure, and when there is nothing to deploy.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.caches
  - juno.deploy.plan
attributes:
  check_mode:
    support: full
    details:
      - It looks and plans, and takes no lease. Fetched git objects are all that it leaves on the host.
  diff_mode:
    support: full
    details:
      - Shows the plan, with the commits, the files behind each step, the migrations and the static files that change.
  idempotent:
    support: none
    details:
      - Each run takes a lease of its own.
  platform:
    support: full
    platforms: posix
options:
  purpose:
    description:
      - What the lease is taken for, as others are told. Only V(deploy) fetches and plans.
    type: str
    choices: [deploy, rollback, restart]
    default: deploy
  release:
    description:
      - For O(purpose=rollback), the number of the release to go back to; 0 takes the newest good one of another commit.
    type: int
    default: 0
  who:
    description:
      - Who takes the lease, as others are told.
      - Without it, the user and the name of the machine that runs C(ansible-playbook).
    type: str
    default: ''
  lease:
    description:
      - Id of the lease to take. The action plugin of this module makes a new one for each call.
    type: str
    default: ''
  build:
    description:
      - How releases are built and checked, as with M(juno.deploy.release_build). With it the build begins at once, and
        that module takes what came of it.
      - Without it the build begins with that module.
    type: dict
    suboptions:
      check_command:
        description:
          - The command, as a list of words, that tells whether the code can start.
        type: list
        elements: str
        default: [python, manage.py, check]
      build_timeout_seconds:
        description:
          - How long the build may take.
        type: int
        default: 1800
      check_timeout_seconds:
        description:
          - How long the check command may take, and as long everything else that is asked of the new code.
        type: int
        default: 120
      probe_path:
        description:
          - The page that the WSGI application is asked for.
        type: str
        default: /
      headers:
        description:
          - Headers of that request.
        type: dict
        default: {}
      base_url:
        description:
          - The site's address as the managed host reaches it. Without it a port that O(service) publishes tells it.
        type: str
        default: ''
      frontend:
        description:
          - The app's own command that builds its front-end, run where the plan has that step.
        type: list
        elements: str
        default: []
      pages:
        description:
          - Pages that the application must show before a reload.
        type: list
        elements: dict
        default: []
      boot_timeout_seconds:
        description:
          - How long each service that the check needs may take to start, in seconds.
        type: int
        default: 120
      update_services:
        description:
          - Other services of the project whose images are built or pulled.
        type: list
        elements: str
        default: []
  boot_timeout_seconds:
    description:
      - How long a container may take to start, in seconds, where a dead run's release is undone. With 0 it is what that
        run was told.
    type: int
    default: 0
    version_added: 0.2.0
  edge:
    description:
      - What the proxy before the app is to be. With it the plan says what happens to the proxy, and its image is pulled
        where it isn't there, before anything is built.
      - Without it the plan says nothing about that.
    type: dict
    version_added: 0.2.0
    suboptions:
      image:
        description:
          - The image with HAProxy, 2.4 or later.
        type: str
        default: haproxy:3.0
      pull:
        description:
          - Pull the image also where it is there, and replace the proxy where that brings another one.
        type: bool
        default: false
      trusted_proxies:
        description:
          - Addresses and networks from which C(X-Forwarded-For) and its like are believed.
        type: list
        elements: str
        default: [127.0.0.0/8, '::1/128', 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 'fc00::/7']
      tcp_ports:
        description:
          - Published ports that are passed as TCP, whatever they answer.
        type: list
        elements: int
        default: []
  package:
    description:
      - Digest of what the modules are made of. The action plugin of this module computes it, so that what was sent once
        is kept on the managed host, below O(state_root), and used by later runs.
    type: str
    default: ''
  meter_rate:
    description:
      - How many requests per second a prober makes at the site's front door until the release is recorded; 0 makes
        none.
    type: float
    default: 0
  meter_paths:
    description:
      - The paths it asks for, in turn. Without them those of O(pages).
    type: list
    elements: str
    default: []
  pages:
    description:
      - The pages that prove a deploy, as for M(juno.deploy.freshness_check).
    type: list
    elements: dict
    default: []
  headers:
    description:
      - Headers of the prober's requests, for example C(Host).
    type: dict
    default: {}
notes:
  - The heartbeat uses the task's own connection and C(become), so it needs a connection plugin that starts a program
    for each command, as C(ssh), C(docker) and C(local) do.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Begin a deploy
  juno.deploy.release_begin:
    path: /root/JunoJobs
    project: junojobs
  register: begun

- name: Begin a restart
  juno.deploy.release_begin:
    path: /root/JunoJobs
    project: junojobs
    purpose: restart
  register: begun
"""

RETURN = r"""
lease:
  description: The lease, for the option O(lease) of the modules that follow, and whether it is held.
  returned: success
  type: dict
  sample: {id: 0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e, held: true}
taken_over_from:
  description: The dead holder whose lease was taken over; empty when there was none.
  returned: success
  type: dict
  sample:
    id: 5a1c4f5b0f6e4b0c8d7e6f5a4b3c2d1e
    who: rohit@laptop
    host: laptop
    address: 203.0.113.5
    purpose: deploy
    since: '2026-01-31T10:00:00Z'
ended:
  description: What the dead holder had left running on the host and had to be ended; empty when there was nothing.
  returned: success
  type: str
  sample: the build of a release, process 4711
recovered:
  description: What a dead run had left half done and was finished or undone; empty when there was nothing.
  returned: success
  type: dict
  sample: {}
forkserver:
  description:
    - Where the process listens that runs the modules that follow, with all that they import loaded already.
    - It ends with the lease. RV(forkserver.why) says why there is none. Then they run as Ansible runs modules, which
      takes longer.
  returned: success
  type: dict
  contains:
    socket:
      description: The socket; empty when there is no such process.
      type: str
      sample: /var/lib/juno/junojobs/forkserver-0c6a7a3c9a0d.sock
    boot:
      description:
        - Why nobody would tidy up after a reboot of the host in the middle of the release; empty where units of systemd
          would.
      type: str
      version_added: 0.2.0
      sample: systemd does not start this host
    python:
      description: Its Python.
      type: str
      sample: /usr/bin/python3
    why:
      description: Why there is none.
      type: str
      sample: ''
holder:
  description: Who holds the lease.
  returned: when another controller holds it and is alive
  type: dict
  sample:
    id: 5a1c4f5b0f6e4b0c8d7e6f5a4b3c2d1e
    who: rohit@laptop
    host: laptop
    address: 203.0.113.5
    purpose: deploy
    since: '2026-01-31T10:00:00Z'
git:
  description: The checkout and the fetched branch.
  returned: success, with O(purpose=deploy)
  type: dict
  sample:
    commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    branch: main
    target_commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    target_subject: A new front page
    ahead: 0
    behind: 1
    dirty: []
compose:
  description: The compose project, with the address of the port that O(service) publishes.
  returned: success, with O(purpose=deploy)
  type: dict
  sample:
    version: 2.26.1
    files: [docker-compose.yml]
    services: [memcached, web]
    base_url: http://127.0.0.1:8001
    code_mounted: true
    command_collects: true
workers:
  description: The services that run the app's code beside O(service), each with why it is taken for one.
  returned: success
  type: dict
  version_added: 0.2.0
  sample: {worker: 'share the image of {site}', beat: declared}
workers_words:
  description: The same, as the plan shows it.
  returned: success
  type: str
  version_added: 0.2.0
  sample: 'worker, beat (found: they share the image of web)'
notices:
  description: How what serves answers the first page, where that hangs on a setting.
  returned: where something is to be done and the site serves
  type: list
  elements: str
  version_added: 0.2.0
  sample: []
containers:
  description: The project's containers, stopped ones too.
  returned: success, with O(purpose=deploy)
  type: list
  elements: dict
  sample: [{name: junojobs-web-1, service: web, state: running}]
disk_free_bytes:
  description: Free space of the app's file system, in bytes.
  returned: success, with O(purpose=deploy)
  type: int
  sample: 21474836480
serving:
  description: The newest release that went well, as the journal has it; empty when there is none.
  returned: success, with O(purpose=deploy)
  type: dict
  sample: {number: 7, commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, outcome: done}
changed_files:
  description: Files that differ between the release in RV(serving) and the branch; nothing when that can't be told.
  returned: success, with O(purpose=deploy)
  type: list
  elements: str
  sample: [templates/home.html]
epoch:
  description:
    - The number that the release's processes are to get in O(epoch_variable); 0 when there shall be none.
  returned: success
  type: dict
  sample: {value: 1769853600, variable: CACHE_VERSION, others: [], why: ''}
commits:
  description: The newest commits that come, and how many there are.
  returned: success, with O(purpose=deploy)
  type: dict
  sample: {named: [1f5d0b1 A new front page], count: 1}
plan:
  description: What a deploy has to do, and why, as M(juno.deploy.release_plan) says it.
  returned: success, with O(purpose=deploy)
  type: dict
  sample:
    deploy: true
    build: false
    collect: false
    strategy: reload
    edge: []
    reasons: ['release 8f5d0b1c2a3e serves, 1f5d0b1c2a3e is new']
    build_reasons: []
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import (
    _app,
    _begin,
    _cache_order,
    _edge_plan,
    _inspect_git,
    _lease,
    _release,
)
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Begin."""
    params = module.params
    holder = _lease.claim(params["lease"], params["who"], params["purpose"], os.environ)
    meter = _begin.Meter(
        rate_per_second=params["meter_rate"],
        paths=tuple(params["meter_paths"]),
        pages=params["pages"],
        base_url=params["base_url"],
        headers={str(name): str(value) for name, value in params["headers"].items()},
    )
    result = _begin.begin(
        run_command,
        _app.from_params(params),
        _inspect_git.wish_of(params),
        holder,
        meter,
        release=params["release"],
        helper=_begin.Helper(params["package"], params["caches"] or {}, _build(params["build"])),
        dry=module.check_mode,
        boot_timeout_seconds=params["boot_timeout_seconds"],
        edge=_edge_plan.wish_of(params["edge"], params["base_url"]),
    )
    difference = result.pop("diff", None)
    return {**result, "diff": difference} if module._diff and difference else result


def _build(asked: dict[str, t.Any] | None) -> dict[str, t.Any]:
    if not asked:
        return {}
    return {**asked, **{name: tuple(asked[name]) for name in ("check_command", "frontend", "pages", "update_services")}}


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        **_inspect_git.ARGUMENTS,
        "purpose": {"type": "str", "choices": ["deploy", "rollback", "restart"], "default": "deploy"},
        "release": {"type": "int", "default": 0},
        "who": {"type": "str", "default": ""},
        "package": {"type": "str", "default": ""},
        "boot_timeout_seconds": {"type": "int", "default": 0},
        "build": {"type": "dict", "options": _release.BUILD_OPTIONS},
        **_cache_order.ARGUMENTS,
        "edge": {"type": "dict", "options": _edge_plan.OPTIONS},
        "meter_rate": {"type": "float", "default": 0},
        "meter_paths": {"type": "list", "elements": "str", "default": []},
        "pages": {"type": "list", "elements": "dict", "default": []},
        "headers": {"type": "dict", "default": {}},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
