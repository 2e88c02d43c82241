#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say what a deploy would do, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_plan
short_description: Say what a deploy would do, and why
version_added: 0.2.0
description:
  - Compares the release that serves with the newest commit of the branch, and says which steps a deploy has to take,
    each with its reason and the files behind it. M(juno.deploy.release_begin) plans by the same rules.
  - Templates, settings, models, views and other Python need new workers and an invalidation. What an image is made of
    (requirements, lock files, Dockerfile and what it names, compose files) needs a build. Static files are collected,
    and cached pages that name a replaced one are dropped. Front-end sources need the app's own build, migrations are
    applied, translations compiled. Documents, tests and what only developers use need nothing. Content (C(media),
    database files) is never touched. Any other file needs every step.
  - Which folders hold templates and static files, and which are apps, comes from the effective settings of the release
    that serves, beside the usual names. Where the code is in the image, every change but those that need nothing needs
    a build, but for files that C(.dockerignore) keeps out.
  - A rename is a file that went and one that came. A changed submodule needs every step. A file that is reached by
    a symbolic link is judged by that name too. When the commit that serves is gone from the repository, everything is
    done. When the branch was rewritten, what differs between the two commits counts.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.plan
attributes:
  check_mode:
    support: full
    details:
      - Fetched git objects are all that it leaves on the host, in check mode and without it. It counts as changed when
        a deploy would do something.
  diff_mode:
    support: full
    details:
      - Shows the commits, the files behind each step, the migrations and the static files that change.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
seealso:
  - module: juno.deploy.release_begin
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Say what a deploy would do
  juno.deploy.release_plan:
    path: /root/JunoJobs
    project: junojobs
    strategy: reload
    rules:
      - files: data/*.json
        steps: [workers, invalidate]
      - files: notebooks/**
        steps: []
  register: planned

- name: Show it
  ansible.builtin.debug:
    msg: "{{ planned.plan.words }}"
"""

RETURN = r"""
git:
  description: The checkout and the fetched branch.
  returned: success
  type: dict
  sample:
    commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    branch: main
    target_commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    target_subject: A new front page
    ahead: 0
    behind: 1
    dirty: []
serving:
  description: The newest release that went well, as the journal has it; empty when there is none.
  returned: success
  type: dict
  sample: {number: 7, commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, outcome: done}
commits:
  description: The newest commits that come, and how many there are.
  returned: success
  type: dict
  sample: {named: [1f5d0b1 A new front page], count: 1}
changed_files:
  description: Files that differ between the release in RV(serving) and the branch; nothing when that can't be told.
  returned: success
  type: list
  elements: str
  sample: [templates/home.html]
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
      description: Whether images are built.
      type: bool
      sample: false
    build_reasons:
      description: Why they are.
      type: list
      elements: str
      sample: []
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
    invalidate:
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

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _inspect, _inspect_git, _options
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Plan."""
    found = _inspect.inspect(run_command, _app.from_params(module.params), _inspect_git.wish_of(module.params))
    told = {name: found[name] for name in ("git", "serving", "commits", "changed_files", "plan")}
    # Ansible shows a diff only of what is, or would be, changed.
    return {"changed": found["plan"]["deploy"], **told, **({"diff": found["diff"]} if module._diff else {})}


def main() -> None:
    """Run the module."""
    spec = {**_options.APP, **_options.PLAN}
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
