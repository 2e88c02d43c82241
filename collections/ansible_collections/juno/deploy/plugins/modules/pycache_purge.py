#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove Python bytecode below directories."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pycache_purge
short_description: Remove Python bytecode below directories
version_added: 0.1.0
description:
  - Removes every bytecode file (C(*.pyc), C(*.pyo)) below the directories in O(path), and every C(__pycache__)
    directory that is empty then. What an interrupted Python left in a C(__pycache__) while it wrote
    (C(m.pyc.140213)) goes too.
  - A C(__pycache__) that holds anything else stays, with that in it, and is listed in RV(roots[].skipped).
  - Never follows a symbolic link, never leaves the directory, its file system or its mount, however the tree changes
    during the walk. A symbolic link called C(__pycache__) stays and is listed in RV(roots[].skipped). A symbolic link
    whose own name ends in C(.pyc) or C(.pyo) is removed, and what it points to is not touched.
  - Files and directories that vanish during the walk are no error and are not counted.
  - Everything is tried. The module fails afterwards if a bytecode file could not be removed or a C(__pycache__)
    directory could not be read, and names the first ones. Any other directory that could not be read gives a warning
    and is listed in RV(roots[].unreadable).
extends_documentation_fragment:
  - juno.deploy.attributes
attributes:
  check_mode:
    support: full
    details:
      - Counts what would be removed. Directories that this user may not write to fail as they would without check mode.
  diff_mode:
    support: full
    details:
      - Shows the paths of up to 200 removed files.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  path:
    description:
      - The directories, as absolute paths. Each is walked once, also when one is given twice or is below another.
      - One that is a symbolic link is resolved first. Then, if it is a directory of the system itself (such as V(/),
        V(/usr), V(/etc), V(/home), V(/root), V(/srv), V(/tmp)) or anything in V(/proc) or V(/sys), it is refused.
      - If one of them is refused, missing or no directory, the module fails and nothing is removed from any.
      - The directory itself is never removed. It is walked whatever its name, and also if it is a virtual environment.
    type: list
    elements: path
    required: true
  exclude:
    description:
      - Names of directories that are not walked, wherever they are. V(.git) and V(node_modules) are never walked.
    type: list
    elements: str
    default: []
  include_virtualenvs:
    description:
      - Walk virtual environments too, which are directories that hold a file C(pyvenv.cfg).
    type: bool
    default: false
seealso:
  - module: juno.deploy.release_switch
notes:
  - A bytecode file without its source, outside C(__pycache__), is removed like the others, as
    C(find -name '*.pyc' -delete) does. If an app is delivered as such files only, put their directory in O(exclude).
  - Workers that run keep the code they have loaded. A purge has an effect when they are started anew.
  - The first start after a purge takes longer, because Python compiles again what it imports.
  - It works in up to four processes, as many as the host has processors for.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Remove the app's bytecode
  juno.deploy.pycache_purge:
    path: /root/JunoJobs

- name: Remove the bytecode of two apps, but not that of uploaded files
  juno.deploy.pycache_purge:
    path:
      - /srv/shop
      - /srv/blog
    exclude:
      - media
"""

RETURN = r"""
actions:
  description: The directories below which something was (in check mode, would be) removed.
  returned: always
  type: list
  elements: dict
  sample: [{what: bytecode, id: /root/JunoJobs, status: removed}]
files_removed:
  description: How many bytecode files were (in check mode, would be) removed.
  returned: always
  type: int
  sample: 412
directories_removed:
  description: How many C(__pycache__) directories were (in check mode, would be) removed.
  returned: always
  type: int
  sample: 37
bytes_freed:
  description:
    - The sizes of the removed files, summed up in bytes.
    - A file with another hard link counts, although it frees nothing.
  returned: always
  type: int
  sample: 3051220
duration_ms:
  description: How long the walks took, in milliseconds.
  returned: always
  type: int
  sample: 21
roots:
  description:
    - The same figures for each directory, and what was left.
    - Paths are escaped where they are not printable UTF-8, and cut in the middle if they are longer than 1000
      characters. Of each kind the first 100 are listed.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The directory as given.
      type: str
      sample: /root/JunoJobs
    resolved:
      description: The directory with its symbolic links resolved.
      type: str
      sample: /srv/junojobs
    files_removed:
      description: As RV(files_removed), below this directory.
      type: int
      sample: 412
    directories_removed:
      description: As RV(directories_removed), below this directory.
      type: int
      sample: 37
    bytes_freed:
      description: As RV(bytes_freed), below this directory.
      type: int
      sample: 3051220
    directories_seen:
      description: How many directories were walked, itself included.
      type: int
      sample: 96
    duration_ms:
      description: How long the walk took, in milliseconds.
      type: int
      sample: 21
    skipped_count:
      description: How many were left on purpose.
      type: int
      sample: 1
    skipped:
      description: What was left on purpose, each with its C(path) and C(reason).
      type: list
      elements: dict
      sample: [{path: /srv/junojobs/.git, reason: excluded by its name}]
    unreadable_count:
      description: How many directories could not be read.
      type: int
      sample: 0
    unreadable:
      description: Directories that could not be read, each with its C(path) and C(reason).
      type: list
      elements: dict
      sample: [{path: /srv/junojobs/pgdata, reason: Permission denied}]
    failed_count:
      description: How many bytecode files or C(__pycache__) directories could not be removed or read.
      type: int
      sample: 0
    failed:
      description: Bytecode that is still there, each with its C(path) and C(reason).
      type: list
      elements: dict
      sample: [{path: /srv/junojobs/jobs/__pycache__/views.cpython-313.pyc, reason: Permission denied}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _bytecode as bytecode
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_entries import Rules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_share import processors
from ansible_collections.juno.deploy.plugins.module_utils._module import run

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "path": {"type": "list", "elements": "path", "required": True},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "include_virtualenvs": {"type": "bool", "default": False},
}


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Purge, and report in full also when something could not be removed."""
    # One process finds the paths of a diff in the same order each time.
    jobs = 1 if module._diff else processors()
    rules = Rules(
        remove=not module.check_mode,
        exclude=bytecode.check_names(module.params["exclude"]),
        virtualenvs=module.params["include_virtualenvs"],
        most_paths=bytecode.MOST_PATHS if module._diff else 0,
    )
    done = bytecode.purge(module.params["path"], rules, jobs)
    result = bytecode.report(done)
    if module._diff:
        result["diff"] = bytecode.difference(done)
    for warning in bytecode.warnings(done):
        module.warn(warning)
    bytecode.check_complete(done, result)
    return result


def main() -> None:
    run(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
