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
  - Removes bytecode files (C(*.pyc), C(*.pyo)) below the directories in O(path), and every C(__pycache__)
    directory that is empty then. O(mode) says which files. What an interrupted Python left in a C(__pycache__) while it
    wrote (C(m.pyc.140213)) is such a file too.
  - With O(project), finds also what the running app keeps elsewhere (E(PYTHONPYCACHEPREFIX)).
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
  - juno.deploy.compose.site
  - juno.deploy.compose.engine
attributes:
  check_mode:
    support: full
    details:
      - Counts what would be removed. Directories that this user may not write to fail as they would without check mode.
      - Nothing is compiled.
  diff_mode:
    support: full
    details:
      - Shows the paths of up to 200 removed files, each with its reason unless O(mode=all).
  idempotent:
    support: full
    details:
      - Files that were removed and are compiled again go again with O(mode=all), not with the other two.
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
  mode:
    description:
      - Which bytecode goes.
      - V(all) takes all of it.
      - V(stale) takes what Python would not or must not use as it is, and says why in RV(reasons). Each file's header
        is compared with its source. A file also goes if the source was touched (written, moved, or given another owner
        or mode) after it was compiled, since Python can't tell a source from another of the same second and size.
      - V(orphans) takes only what no source is left of. That is bytecode outside C(__pycache__) that Python would
        import although its source is gone, and each C(__pycache__) of which all sources are gone. V(stale) takes these
        too.
      - V(stale) and V(orphans) also remove a directory that holds nothing else, as C(git pull) leaves it behind where
        a package was removed, because Python would import it as a namespace package. A directory without any bytecode
        in it stays, since somebody may have made it empty on purpose.
      - With V(stale), what none of the Pythons wrote that there are goes too. These are the Pythons in the containers
        of O(project), or else those of this host, in C(/usr/bin) and C(/usr/local/bin), with the one that runs this.
        So set O(project) for an app that runs in containers, or all of its bytecode counts as another Python's.
    type: str
    choices: [all, stale, orphans]
    default: all
    version_added: 0.2.0
  project:
    description:
      - Name of the compose project of the app, as C(docker compose ls) shows it. Its running containers are asked which
        Python they have, and where it keeps bytecode.
      - Bytecode of O(path) that is kept apart from its sources is purged by the same rules, on this host if it is in a
        bind mount or volume, or else in the container.
      - Without it no container is asked.
    type: str
    version_added: 0.2.0
  service:
    version_added: 0.2.0
  docker_host:
    version_added: 0.2.0
  compile:
    description:
      - Compile what is below O(path) afterwards, so that the first worker does not have to. What has bytecode that fits
        is left as it is.
      - With O(project) the Python in the app's container does it, as the user that the container runs as. Otherwise it
        is the Python that runs the module, which fits an app on this host that uses the same.
      - A source that can't be compiled is no error, see RV(not_compiled).
    type: bool
    default: false
    version_added: 0.2.0
requirements:
  - Docker SDK for Python on the managed host (package C(python3-docker)) when O(project) is set
seealso:
  - module: juno.deploy.release_switch
notes:
  - A bytecode file without its source, outside C(__pycache__), is removed in each O(mode), as
    C(find -name '*.pyc' -delete) does. If an app is delivered as such files only, put their directory in O(exclude).
  - Workers that run keep the code they have loaded. A purge has an effect when they are restarted.
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

- name: Remove what a release has left behind, and compile what it brought
  juno.deploy.pycache_purge:
    path: /root/JunoJobs
    mode: stale
    project: junojobs
    compile: true
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
  description:
    - How many C(__pycache__) directories were (in check mode, would be) removed, and with O(mode=stale) or
      O(mode=orphans) directories that held nothing but bytecode.
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
reasons:
  description:
    - How many files went for each reason; empty with O(mode=all).
    - C(source_gone), C(source_changed) (another time or size, or another hash) and C(source_younger) (both fit, but
      the source was touched after the file was written) say it of the source.
    - C(unchecked) is a file that Python never compares with its source (an unchecked hash), C(other_interpreter) one of
      a Python that is not there, C(sourceless) one outside C(__pycache__) that is imported although its source is gone.
    - C(unused) is a file that Python never looks at, such as one outside C(__pycache__) whose source is there, and
      C(damaged) what is no whole bytecode file, such as a symbolic link.
  returned: always
  type: dict
  sample: {source_changed: 12, source_gone: 3}
words:
  description: What was removed, and why, in a sentence; empty when nothing was.
  returned: always
  type: str
  sample: "Removed 15 bytecode files: 12 because its source has changed, 3 because its source is gone."
elsewhere:
  description:
    - Where the app keeps bytecode apart from its sources, for each container and directory. With a C(where) of V(host),
      C(path) is the place on this host; with V(container) it is in the container's own file system, and goes with it.
    - What was purged there is in RV(roots), with the container's name before the path in the second case.
  returned: always
  type: list
  elements: dict
  sample:
    - {container: junojobs-web-1, prefix: /tmp/pyc, directory: /tmp/pyc/code, where: container}
compiled:
  description: How many sources were compiled.
  returned: when O(compile=true) and not in check mode
  type: int
  sample: 15
not_compiled:
  description: How many sources could not be compiled.
  returned: when O(compile=true) and not in check mode
  type: int
  sample: 0
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
    reasons:
      description: As RV(reasons), below this directory.
      type: dict
      sample: {source_changed: 12, source_gone: 3}
    emptied_count:
      description: How many directories that held nothing but bytecode were (in check mode, would be) removed.
      type: int
      sample: 1
    emptied:
      description: These directories.
      type: list
      elements: str
      sample: [/srv/junojobs/jobs/removed]
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
      description: How many directories, and with O(mode=stale) files, could not be read.
      type: int
      sample: 0
    unreadable:
      description: What could not be read, each with its C(path) and C(reason).
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
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import app, purge, pycache_prefix
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import pythons as bytecode_pythons
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.parallel import processors
from ansible_collections.juno.deploy.plugins.module_utils._module import run

ARGUMENTS: options.Spec = {
    "path": {"type": "list", "elements": "path", "required": True},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "include_virtualenvs": {"type": "bool", "default": False},
    "mode": {"type": "str", "choices": ["all", "stale", "orphans"], "default": "all"},
    **options.COMPOSE,
    "service": options.SERVICE,
    "compile": {"type": "bool", "default": False},
}


def pythons(mode: str, running: list[app.Running]) -> tuple[bytecode_pythons.Python, ...]:
    """Return the Pythons whose bytecode is of use."""
    if mode != "stale":
        return ()
    return tuple(dict.fromkeys(one.python for one in running)) or bytecode_pythons.on_host()


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Purge, and report in full also when something could not be removed."""
    params = module.params
    # One process finds the paths of a diff in the same order each time.
    jobs = 1 if module._diff else processors()
    client = engine.connect(params["docker_host"]) if params["project"] else None
    running = app.ask(client, params["project"], params["service"]) if client else []
    rules = WalkRules(
        remove=not module.check_mode,
        exclude=purge.check_names(params["exclude"]),
        virtualenvs=params["include_virtualenvs"],
        most_paths=purge.MOST_PATHS if module._diff else 0,
        mode=params["mode"],
        pythons=pythons(params["mode"], running),
    )
    plan = pycache_prefix.plan(params["path"], running)
    done = purge.purge(params["path"], rules, jobs, plan.on_host)
    done += pycache_prefix.purge_inside(client, plan, rules)
    result = purge.report(done)
    result["elsewhere"] = plan.notes
    result["words"] = purge.words(done, removed=rules.remove)
    if module._diff:
        result["diff"] = purge.difference(done)
    for warning in purge.warnings(done):
        module.warn(warning)
    purge.check_complete(done, result)
    if params["compile"] and not module.check_mode:
        compile_all(module, client, running, rules, result)
    return result


def compile_all(
    module: AnsibleModule,
    client: t.Any,
    running: list[app.Running],
    rules: WalkRules,
    result: dict[str, t.Any],
) -> None:
    """Compile, and add to the result what that did."""
    paths = module.params["path"]
    compiled = (
        pycache_prefix.compile_in(client, running, paths, rules)
        if client
        else pycache_prefix.compile_on_host(paths, rules)
    )
    for path in compiled.unseen:
        module.warn(f"Nothing was compiled below {path}, which no container of {module.params['project']} sees.")
    result.update(compiled=compiled.done, not_compiled=compiled.failed)
    result["changed"] = result["changed"] or compiled.done > 0


def main() -> None:
    run(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
