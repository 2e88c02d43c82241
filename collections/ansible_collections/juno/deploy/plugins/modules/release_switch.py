#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Move the traffic of a Django compose app to a release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_switch
short_description: Move the traffic of a Django compose app to a release
version_added: 0.1.0
description:
  - Moves the app's checkout to the commit, gives the release's images the names that compose runs, and brings the
    release into service by O(strategy).
  - Nothing that a person changed in the checkout is overwritten.
  - With V(rolling), HAProxy (the edge) owns the ports that the compose file publishes. It comes in by a compose
    override beside the app's own compose files, so that C(docker compose) commands typed by a person see the same
    project. A new container gets requests once it is healthy; the old one gets no new request then, and ends after
    its last answer. The first time, the ports have to change hands, and for a moment nobody answers.
  - With V(reload), gunicorn starts new workers in the container that serves, and the old ones end after their last
    answer.
  - With V(recreate), the old containers end before the new ones start.
  - A shell as a container's first process (C(sh -c "migrate && gunicorn")) ignores the stop signal, so the app server's
    own master process gets it. Without that C(docker stop) waits out its grace period and cuts requests off.
  - Old containers are kept until M(juno.deploy.release_record). M(juno.deploy.release_undo) brings back what
    served before.
  - Without O(commit) the same release is started anew, with a fresh process environment.
  - Needs a release begun by M(juno.deploy.release_begin).
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.caches
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - It starts new containers each time.
  platform:
    support: full
    platforms: posix
options:
  commit:
    description:
      - The full commit that the checkout moves to.
    type: str
    default: ''
  images:
    description:
      - The release's image for each service, as M(juno.deploy.release_build) returns them.
    type: dict
    default: {}
  strategy:
    description:
      - How the traffic moves.
    type: str
    choices: [rolling, reload, recreate]
    default: rolling
  edge_image:
    description:
      - The image with HAProxy, 2.4 or later, for the edge. It is pulled when it isn't there.
    type: str
    default: haproxy:3.0
  edge_pull:
    description:
      - Replace the edge's container where its image has become another one under the same name, as after a pull.
    type: bool
    default: false
    version_added: 0.2.0
  trusted_proxies:
    description:
      - Addresses and networks from which the edge believes C(X-Forwarded-For) and its like. From everywhere else it
        takes them away, and sets C(X-Forwarded-For) to the address that it sees.
    type: list
    elements: str
    default: [127.0.0.0/8, '::1/128', 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 'fc00::/7']
    version_added: 0.2.0
  tcp_ports:
    description:
      - Published ports that the edge passes as TCP, whatever they answer. A further port beside the site's own is
        passed as HTTP only where it answers a request that is put to it.
    type: list
    elements: int
    default: []
    version_added: 0.2.0
  sitemap:
    description:
      - Path of the site's sitemap.
    type: str
    default: /sitemap.xml
    version_added: 0.2.0
  sitemap_pages:
    description:
      - How many of its pages are asked for while the old release still serves (RV(answered_before)); 0 asks for none.
    type: int
    default: 0
    version_added: 0.2.0
  protect_git:
    description:
      - Mount the checkout's C(.git) read-only over the place at which the app's containers see the checkout, so
        that their code can't write what git does on the host. New containers have it; O(strategy=reload) makes none.
    type: bool
    default: false
    version_added: 0.2.0
  base_url:
    description:
      - The site's address as this host reaches it.
      - Without it the first fixed port is taken that O(service) publishes.
    type: str
    default: ''
  headers:
    description:
      - Headers of the requests that ask whether the site answers, for example C(Host).
    type: dict
    default: {}
  probe_path:
    description:
      - The path that is asked for. Any HTTP status is an answer.
    type: str
    default: /
  pages:
    description:
      - The pages that prove a deploy, as for M(juno.deploy.freshness_check). A new container must show them, with their
        status and texts, before it gets requests of visitors.
      - Each is asked for past the page cache. A text counts where the release has a cache of its own, or where the page
        that serves is right.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
  grace_seconds:
    description:
      - How long an old server or worker may take to end its work before it is killed, where the compose file gives its
        service no C(stop_grace_period).
    type: int
    default: 30
  boot_timeout_seconds:
    description:
      - How long the new containers may take until the site answers.
    type: int
    default: 120
  settle_seconds:
    description:
      - How long a new container must have been healthy before M(juno.deploy.release_record) lets go of the old one.
        It gets requests earlier, while the old one is kept at hand.
    type: float
    default: 3.2
  purge_bytecode:
    description:
      - Remove compiled Python files from the checkout first, where the containers see the checkout itself.
    type: bool
    default: false
  bytecode_mode:
    description:
      - Which of them. V(stale) takes those that don't fit their source, or have none, as
        M(juno.deploy.pycache_purge) tells them; V(all) takes every one.
    type: str
    choices: [stale, all]
    default: stale
    version_added: 0.2.0
  static_rules:
    description:
      - How long static files of earlier releases stay, in a static root that is a directory of the managed host too (a
        bind mount or a local volume). What is due goes right before the new workers start, since WhiteNoise knows files
        from its start and answers with an error for one that is gone.
      - Without it they stay for ever.
    type: dict
    version_added: 0.2.0
    suboptions:
      keep_releases:
        description:
          - The files of so many different manifests stay, the newest ones.
        type: int
        default: 5
      html_max_age:
        description:
          - Files that were named within so many seconds stay, since a browser may still hold a page that names them.
            It is raised to the longest lifetime of a page that a kept release has met in its proof.
        type: int
        default: 3600
      prune:
        description:
          - Remove what is due. When V(false) it is only remembered which files each release names.
        type: bool
        default: true
  epoch:
    description:
      - The epoch of the release, as RV(juno.deploy.release_build#module:epoch) gives it. New containers of the app get
        it into their environment, by the compose override that holds the edge too. A reload can't do that.
    type: dict
    default: {}
    version_added: 0.2.0
  warm_paths:
    description:
      - Pages, with their queries, that a new container is asked for before it gets requests of visitors, so that these
        find a filled cache. Only where nobody else can read what that fills, with an O(epoch) and O(strategy=rolling).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  collect:
    description:
      - Collect the static files of O(commit) first, by O(images) in a throwaway container. For a rollback; a deploy has
        done so by M(juno.deploy.release_build).
    type: bool
    default: false
    version_added: 0.2.0
  warm_rate:
    description:
      - How many of O(warm_paths) are asked for in a second, at most.
    type: float
    default: 20
    version_added: 0.2.0
  update_services:
    description:
      - Other services of the project that are replaced, where their configuration, the files of their build or their
        image have changed. What the app depends on is replaced before its new containers start, and waited for until it
        is healthy. What depends on the app (a front proxy) is replaced when they are healthy.
      - No other service is replaced. One that has never run is started where the app depends on it, where it came with
        the commit, and on a host where nothing of the app is yet.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Move the traffic to the release
  juno.deploy.release_switch:
    path: /root/JunoJobs
    project: junojobs
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    images: "{{ built.images }}"

- name: Start the same release anew
  juno.deploy.release_switch:
    path: /root/JunoJobs
    project: junojobs
"""

RETURN = r"""
base_url:
  description: The site's address as this host reaches it.
  returned: success
  type: str
  sample: http://127.0.0.1:8001
moved:
  description: Whether the checkout moved to another commit.
  returned: success, outside check mode
  type: bool
  sample: true
containers:
  description: The app's containers, new ones outside check mode.
  returned: success
  type: list
  elements: str
  sample: [junojobs-web-1]
images:
  description: The id of the image that each of the app's services runs now.
  returned: success, outside check mode
  type: dict
  sample: {web: 'sha256:5b6c7d8e9f00'}
strategy:
  description: How the traffic moved.
  returned: success, outside check mode
  type: str
  sample: rolling
moved_to_edge:
  description: Whether the ports changed hands to the edge, which happens once.
  returned: success, outside check mode
  type: bool
  sample: false
began:
  description: When the switch began, in seconds since the epoch by this host's clock.
  returned: success, outside check mode
  type: float
  sample: 1769853600.25
old_gone:
  description: When the last old worker had ended, in seconds since the epoch by this host's clock.
  returned: success, outside check mode
  type: float
  sample: 1769853606.5
cleared_at:
  description:
    - Since when no page of the old release can come from a cache, in seconds since the epoch by this host's clock, if
      the old containers had ended before the new ones started. 0 where the caches are to be cleared after the switch.
  returned: success, outside check mode
  type: float
  version_added: 0.2.0
  sample: 1769853605.75
answered_before:
  description: The pages of O(sitemap) that what served answered well; nothing where none was asked for.
  returned: success, outside check mode
  type: list
  elements: str
  sample: [/jobs/]
caches:
  description:
    - Whether the release can't read what was cached before it, since it has an epoch of its own (C(covered)), and which
      caches have to be cleared nevertheless (C(alias)). C(why) says why it has none.
  returned: success, outside check mode
  type: dict
  sample: {covered: true, alias: [], epoch: 1769853600, why: ''}
services:
  description:
    - What was done to the other services of the project. Which of them were started that had never run, which were
      replaced (O(update_services)), and how many seconds the replacing took.
  returned: success, outside check mode
  type: dict
  version_added: 0.2.0
  sample: {started: [], replaced: [proxy], replaced_seconds: 1.25}
warmed:
  description: How many pages new containers were asked for before they got requests.
  returned: success, outside check mode
  type: int
  sample: 5
bytecode:
  description: How much bytecode was removed from the checkout, and why; empty where none was looked for.
  returned: success, outside check mode
  type: dict
  version_added: 0.2.0
  sample: {files_removed: 2, reasons: {source_gone: 2}, words: 'Removed 2 bytecode files.'}
static:
  description:
    - How many static files of earlier releases were removed, and their bytes. C(why) says why that could not be, or
      what could not be remembered of this release. C(carried) is how many files, which only the images hold, the new
      containers got from the old ones. Empty without O(static_rules).
  returned: success, outside check mode
  type: dict
  version_added: 0.2.0
  sample: {removed: 12, bytes: 48213, why: '', carried: 0}
collected:
  description: What O(collect) did, as RV(juno.deploy.release_build#module:static) has it; empty without it.
  returned: success, outside check mode
  type: dict
  version_added: 0.2.0
  sample: {added: 0, replaced: 1, removed: 0}
killed:
  description: Old containers that did not end within their grace period.
  returned: success, outside check mode
  type: list
  elements: str
  version_added: 0.2.0
  sample: []
notices:
  description: What a person should know of it, for example which containers were killed and what gives them longer.
  returned: success, outside check mode
  type: list
  elements: str
  version_added: 0.2.0
  sample: []
outage_seconds:
  description: How long nobody answered, from the last answer of old containers to the first of new ones; else 0.
  returned: success, outside check mode
  type: float
  sample: 4.1
log:
  description: The end of the log of a container that did not start.
  returned: failure to start
  type: str
  sample: 'ModuleNotFoundError: No module named jobs'
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: container, id: junojobs-web-2, status: started}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _cache_order, _edge, _epoch, _switch, _work
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Switch."""
    order = _work.SwitchOrder(
        commit=module.params["commit"],
        images=module.params["images"],
        strategy=module.params["strategy"],
        edge_image=module.params["edge_image"],
        sitemap=module.params["sitemap"],
        sitemap_pages=module.params["sitemap_pages"],
        protect_git=module.params["protect_git"],
        base_url=module.params["base_url"],
        headers={str(name): str(value) for name, value in module.params["headers"].items()},
        probe_path=module.params["probe_path"],
        pages=tuple(module.params["pages"]),
        grace_seconds=module.params["grace_seconds"],
        boot_timeout_seconds=module.params["boot_timeout_seconds"],
        settle_seconds=module.params["settle_seconds"],
        purge_bytecode=module.params["purge_bytecode"],
        bytecode_mode=module.params["bytecode_mode"],
        static_rules=module.params["static_rules"] or {},
        collect=module.params["collect"],
        epoch=_epoch.read(module.params["epoch"]),
        warm_paths=tuple(module.params["warm_paths"]),
        warm_rate=module.params["warm_rate"],
        update_services=tuple(module.params["update_services"]),
        trusted_proxies=_edge.read_trusted(module.params["trusted_proxies"]),
        tcp_ports=tuple(module.params["tcp_ports"]),
        edge_pull=module.params["edge_pull"],
        caches=module.params["caches"] or {},
    )
    return _switch.switch(run_command, _app.from_params(module.params), order, dry=module.check_mode)


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "commit": {"type": "str", "default": ""},
        "images": {"type": "dict", "default": {}},
        "strategy": {"type": "str", "choices": ["rolling", "reload", "recreate"], "default": "rolling"},
        "edge_image": {"type": "str", "default": "haproxy:3.0"},
        "edge_pull": {"type": "bool", "default": False},
        "trusted_proxies": {"type": "list", "elements": "str", "default": list(_edge.TRUSTED)},
        "tcp_ports": {"type": "list", "elements": "int", "default": []},
        "sitemap": {"type": "str", "default": "/sitemap.xml"},
        "sitemap_pages": {"type": "int", "default": 0},
        "protect_git": {"type": "bool", "default": False},
        "base_url": {"type": "str", "default": ""},
        "headers": {"type": "dict", "default": {}},
        "probe_path": {"type": "str", "default": "/"},
        "pages": {"type": "list", "elements": "dict", "default": []},
        "grace_seconds": {"type": "int", "default": 30},
        "boot_timeout_seconds": {"type": "int", "default": 120},
        "settle_seconds": {"type": "float", "default": 3.2},
        "purge_bytecode": {"type": "bool", "default": False},
        "bytecode_mode": {"type": "str", "choices": ["stale", "all"], "default": "stale"},
        "collect": {"type": "bool", "default": False},
        **_cache_order.ARGUMENTS,
        "static_rules": {
            "type": "dict",
            "options": {
                "keep_releases": {"type": "int", "default": 5},
                "html_max_age": {"type": "int", "default": 3600},
                "prune": {"type": "bool", "default": True},
            },
        },
        "epoch": {"type": "dict", "default": {}},
        "warm_paths": {"type": "list", "elements": "str", "default": []},
        "warm_rate": {"type": "float", "default": 20},
        "update_services": {"type": "list", "elements": "str", "default": []},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
