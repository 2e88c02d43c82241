#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Start an app's deployer, which takes the lock, inspects the app and plans the release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_begin
short_description: Take the deploy lock, inspect the app and plan the release
version_added: 0.2.0
description:
  - Starts the app's deployer on the managed host, a process that brings one release into service, step by step,
    as the modules that follow tell it. It holds the app's lock for as long as it lives.
  - When another deployer is at work and its controller is alive, the module fails, says who that is, from where
    and since when, and nothing was changed. Where its controller has ended or is silent, that deployer is asked
    to finish or undo its release first.
  - Finishes or undoes what an interrupted deploy left, as the journal has it.
  - For O(purpose=rollback), chooses the release to go back to, and fails when it was never complete, its images
    are no longer kept, or a migration came after it that can't be reversed.
  - For O(purpose=deploy), looks at everything a deploy decides from, in one go. The git checkout and the remote's
    branch, the compose project, its containers, the disk, and the journal of what was released before. Plans from
    it whether anything is to be deployed, whether images have to be built, and why.
  - Fails, with nothing changed, when the checkout holds changes that a deploy would overwrite, or when something
    that a deploy needs is missing.
  - The lock is given back at once after a failure, and when there is nothing to deploy.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.app.state
  - juno.deploy.plan
  - juno.deploy.release
  - juno.deploy.check_headers
  - juno.deploy.page
  - juno.deploy.caches
  - juno.deploy.proxy
  - juno.deploy.build
  - juno.deploy.migrate
  - juno.deploy.switch
  - juno.deploy.verify
  - juno.deploy.record
  - juno.deploy.step.follow
attributes:
  check_mode:
    support: full
    details:
      - It looks and plans, without the lock. Fetched git objects and the collection's own code are all that it
        leaves on the host.
  diff_mode:
    support: full
    details:
      - Shows the plan, with the commits, the files behind each step, the migrations and the static files that change.
  idempotent:
    support: none
    details:
      - Each run starts a deployer of its own.
  platform:
    support: full
    platforms: posix
options:
  auto_continue:
    description:
      - Begin each step as soon as the one before has ended, without being told, as long as the modules of the steps
        ask. Set it where nothing else is to be done between them. The steps are those that the role
        P(juno.deploy.django_app#role) has.
    type: bool
    default: false
  controller_timeout_seconds:
    description:
      - How long the deployer waits for the next step after one has ended. Then it finishes or undoes the release
        by itself.
    type: float
    default: 60
  lock_wait_seconds:
    description:
      - How long to wait for another deploy of the app to end, in seconds. With V(0) one that is alive is respected
        at once, and the module fails.
    type: float
    default: 0
  next_step_timeout_seconds:
    description:
      - How long the next step may be away this time; V(0) is O(controller_timeout_seconds).
  controller:
    description:
      - Who runs C(ansible-playbook), and where. The action plugin fills it in.
    type: dict
    default: {}
  dead:
    description:
      - Id of a deployer whose controller is known to have ended. The action plugin fills it in.
    type: str
    default: ''
  package:
    description:
      - Digest of the collection's code. The action plugin fills it in.
    type: str
    default: ''
  archive:
    description:
      - The collection's code, where the managed host does not have it yet. The action plugin fills it in.
    type: str
    default: ''
  deployer:
    description:
      - Id for the deployer. The action plugin makes one for each call.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Begin a deploy
  juno.deploy.release_begin:
    path: /root/JunoJobs
    project: junojobs
    pages:
      - path: /
  register: begun
"""

RETURN = r"""
deployer:
  description: Id of the deployer, for the option O(deployer) of the modules that follow.
  returned: success, outside check mode
  type: str
  sample: 0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e
begun:
  description: Whether there is something to do. Then the deployer waits for the next step.
  returned: success
  type: bool
  sample: true
taken_over:
  description: Whose run was cancelled for this one; empty where nobody was at work.
  returned: success
  type: str
  sample: ''
boot:
  description: Why nobody would tidy up after a reboot of the host in the middle of the release; empty where units
    of systemd would.
  returned: where something is to be done
  type: str
  sample: systemd does not start this host
words:
  description: The plan, as lines for a person.
  returned: success
  type: list
  elements: str
  sample: ['Commit: 1f5d0b1c2a3e A new front page', 'Deploy: yes, release 8f5d0b1c2a3e serves, 1f5d0b1c2a3e is new']
recovered:
  description: What an interrupted deploy had left and was finished or undone; empty when there was nothing.
  returned: success
  type: dict
  sample: {}
git:
  description: The checkout and the fetched branch.
  returned: success
  type: dict
  sample: {commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, branch: main,
    target_commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, target_subject: A new front page, ahead: 0, behind: 1,
    dirty: []}
compose:
  description: The compose project, with the address of the port that O(service) publishes.
  returned: success
  type: dict
  sample: {version: 2.26.1, files: [docker-compose.yml], services: [memcached, web], base_url: 'http://127.0.0.1:8001',
    code_mounted: true, command_collects: true}
containers:
  description: The project's containers, stopped ones too.
  returned: success
  type: list
  elements: dict
  sample: [{name: junojobs-web-1, service: web, state: running}]
serving:
  description: The newest release that went well, as the journal has it; empty when there is none.
  returned: success
  type: dict
  sample: {number: 7, commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, outcome: done}
cache_version:
  description:
    - The number that the release's processes are to get in O(cache_version_variable); 0 when there shall be none.
  returned: success
  type: dict
  sample: {value: 1769853600, variable: CACHE_VERSION, others: [], why: ''}
plan:
  description: What a deploy has to do, and why.
  returned: success
  type: dict
  contains:
    deploy:
      description: Whether there is anything to do.
      type: bool
      sample: true
    reasons:
      description: Why, or why not.
      type: list
      elements: str
      sample: ['release 8f5d0b1c2a3e serves, 1f5d0b1c2a3e is new']
    build:
      description: Whether images are built, or pulled.
      type: bool
      sample: false
    build_reasons:
      description: Why they are.
      type: list
      elements: str
      sample: []
    pulls:
      description: Whether no image of the app is built here, so that all are pulled.
      type: bool
      sample: false
    pulled:
      description:
        - What the build takes for each service of the app whose image isn't built here, for a deploy. Either
          C(REPOSITORY@DIGEST), as its registry has it now, or the id of the image that is on the host.
      type: dict
      sample: {}
    steps:
      description:
        - The steps that the changed files need, in their order. Each has C(step), C(why), the first C(files) behind it
          and the C(count) of all.
      type: list
      elements: dict
      sample: [{step: workers, why: template, files: [templates/home.html], count: 1}]
    words:
      description: The same as lines for a person.
      type: list
      elements: str
      sample: ['start new workers: template (templates/home.html)']
    collect:
      description: Whether static files are collected before the switch.
      type: bool
      sample: false
    frontend:
      description: Whether the app's own command builds its front-end.
      type: bool
      sample: false
    translate:
      description: Whether translations are compiled.
      type: bool
      sample: false
    clear:
      description: What of the caches goes. V(all), V(naming) for pages that name a replaced static file, or V(none).
      type: str
      sample: all
    strategy:
      description: How traffic moves.
      type: str
      sample: reload
    strategy_reasons:
      description: Why it is another strategy than O(strategy).
      type: list
      elements: str
      sample: []
    notices:
      description: What a person should know.
      type: list
      elements: str
      sample: []
"""

import json
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import follow, start_deployer
from ansible_collections.juno.deploy.plugins.module_utils._state import kept_code, lock

#: How long one call waits for another deployer to end.
WAIT_SECONDS = 1.0
#: What the action plugin fills in, and what is not the release's.
OWN: dict[str, dict[str, t.Any]] = {
    "auto_continue": {"type": "bool", "default": False},
    "controller_timeout_seconds": {"type": "float", "default": 60},
    "lock_wait_seconds": {"type": "float", "default": 0},
    "controller": {"type": "dict", "default": {}},
    "dead": {"type": "str", "default": ""},
    "package": {"type": "str", "default": ""},
    "archive": {"type": "str", "default": "", "no_log": False},
    **options.FOLLOW,
}


def holder_of(params: dict[str, t.Any]) -> lock.Holder:
    """Return for whom the deployer works."""
    controller = params["controller"]
    return lock.Holder(
        id=params["deployer"],
        purpose=params["purpose"],
        who=str(controller.get("who") or "unknown"),
        address=os.environ.get("SSH_CONNECTION", "").partition(" ")[0],
        since=lock.now(),
        machine=str(controller.get("machine") or ""),
        controller_pid=int(controller.get("pid") or 0),
        controller_started=str(controller.get("started") or ""),
    )


def begin(params: dict[str, t.Any], *, dry: bool) -> dict[str, t.Any]:
    """Start a deployer, or follow the one that was started."""
    directory = options.state_directory(params)
    asked = {"do": "watch", "name": "begin", "after": max(0, params["after"]), "seconds": follow.NEXT_SECONDS}
    if params["after"] >= 0:
        return {**follow.follow(directory, params["deployer"], asked), "deployer": params["deployer"]}
    if not params["package"] or not (params["deployer"] or dry):
        raise JunoError("release_begin was not called by its action plugin: call it as juno.deploy.release_begin.")
    kept = kept_code.find(params["state_root"], params["package"])
    if not kept:
        if not params["archive"]:
            return {"needs_archive": True}
        kept = kept_code.keep(params["state_root"], params["package"], params["archive"])
    spec = {name: params[name] for name in options.RELEASE}
    timeout = params["controller_timeout_seconds"]
    request = start_deployer.StartRequest(directory, kept, holder_of(params), spec, timeout, params["auto_continue"])
    if dry:
        return start_deployer.look_only(request)
    handle, other = start_deployer.take_lock(directory, WAIT_SECONDS, params["dead"])
    if handle is None:
        return {"busy": other.as_dict() if other else {}}
    start_deployer.start(request, handle, f"{other.holder.who}, at work since {other.holder.since}" if other else "")
    asked |= {"next_step_timeout": params["next_step_timeout_seconds"], "seconds": follow.FIRST_SECONDS}
    return {**follow.follow(directory, params["deployer"], asked), "deployer": params["deployer"]}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={**options.RELEASE, **OWN}, supports_check_mode=True)
    # The action plugin tells by these alone what to do next.
    follow.run(module, lambda params: begin(json.loads(json.dumps(params)), dry=module.check_mode))


if __name__ == "__main__":
    main()
