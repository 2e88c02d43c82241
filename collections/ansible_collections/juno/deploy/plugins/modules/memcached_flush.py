#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Flush memcached servers and verify that nothing old is left."""

from __future__ import annotations

DOCUMENTATION = r"""
module: memcached_flush
short_description: Flush memcached servers and verify that nothing old is left
version_added: 0.1.0
description:
  - Empties one or more memcached servers, all at the same time. A server that is down does not keep the others from
    being flushed.
  - A flush counts only when the server said C(OK) to it, and it is verified. The module notes the number of the newest
    write, flushes, and has the server list its keys. Each item with a lower number has survived.
  - From memcached 1.6.25 on a single flush can leave items that were read in the same second. Those are deleted by name
    and the list is read again. If any is left then, a second flush follows 1.1 seconds after the first one, and is
    verified too.
  - Where survivors can't be counted (C(memcached -X), C(-C), C(-o no_lru_crawler), or another crawl that does not end)
    RV(results[].unverified_reason) says why, and from memcached 1.6.25 on the second flush is always sent. The price is
    what was cached in that second.
  - If any server was not flushed, the module fails after it has tried all, and names each with the cause and the cure.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.memcached
  - juno.deploy.compose
  - juno.deploy.compose.engine
attributes:
  check_mode:
    support: full
    details:
      - Connects and reads the statistics, and flushes nothing.
      - It fails for servers that would not be flushed, as far as that can be known before.
  diff_mode:
    support: full
  idempotent:
    support: none
    details:
      - Each run flushes.
  platform:
    platforms: posix
    support: full
options:
  prefix:
    description:
      - Delete only keys that begin with one of these, as C(KEY_PREFIX:VERSION:) of Django.
      - With O(prefix), O(match) or O(keep) nothing is flushed. The server lists its keys (C(lru_crawler metadump)),
        those that are meant are deleted one by one, and the list is read again until nothing of them is left that was
        there before. A server that does not list its keys fails, and nothing of it is deleted.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  match:
    description:
      - Delete only keys that match one of these. V(pages), V(fragments) and V(sessions) are Django's own, anything else
        is a regular expression in Python's syntax, which is searched in the key's bytes after its O(prefix).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  keep:
    description:
      - Leave keys that match one of these, as in O(match). V([sessions]) deletes all but sessions.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
notes:
  - A flush empties the whole server. It ignores Django's key prefixes and versions, so other applications, other cache
    aliases and sessions on the same server are lost too. Sessions of the engine C(cache) log everyone out.
  - Flush only after the last process with the old code has ended. Such a process refills the cache with old pages.
  - Pages that browsers or a CDN hold can't be called back.
seealso:
  - module: juno.deploy.memcached_info
  - module: juno.deploy.django_cache_clear
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Flush the memcached of a compose project
  juno.deploy.memcached_flush:
    project: junojobs
    service: memcached

- name: Delete all but sessions
  juno.deploy.memcached_flush:
    project: junojobs
    service: memcached
    keep: [sessions]

- name: Delete the cached pages of one app on a server that others share
  juno.deploy.memcached_flush:
    servers: ["10.0.0.5:11211"]
    prefix: ["junojobs:1:"]
    match: [pages, fragments]

- name: Flush three servers, one of them behind a unix socket
  juno.deploy.memcached_flush:
    servers:
      - 10.0.0.5:11211
      - "[fd00::5]:11211"
      - /run/memcached/memcached.sock
    timeout_seconds: 2

- name: Flush a server that asks for TLS and a login
  juno.deploy.memcached_flush:
    servers:
      - cache.example.org:11212
    tls: true
    tls_ca_file: /etc/ssl/private-ca.pem
    username: juno
    password: "{{ vault_memcached_password }}"
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode, one entry per server.
  returned: always
  type: list
  elements: dict
  sample:
    - what: flush
      id: 172.18.0.3:11211
      status: flushed
results:
  description: What happened at each server, in the order of O(servers).
  returned: always
  type: list
  elements: dict
  contains:
    server:
      description: Address of the server.
      type: str
      sample: 172.18.0.3:11211
    container:
      description: Name of its container, empty if it was named in O(servers).
      type: str
      sample: junojobs-memcached-1
    status:
      description:
        - V(flushed), or V(would_flush) in check mode.
        - V(deleted), or V(would_delete) in check mode, where keys were chosen. V(unlistable) if the server does not
          list its keys.
        - V(survivors) if old items are left after two flushes.
        - Otherwise why it failed. V(refused), V(silent), V(closed), V(unreachable), V(name) (not resolvable), V(auth),
          V(tls), V(flush_disabled), V(error).
      type: str
      sample: flushed
    message:
      description: What is wrong and what to do; empty if nothing is.
      type: str
      sample: ""
    version:
      description: Version of memcached; empty if it did not say.
      type: str
      sample: 1.6.38
    items_before:
      description: Number of items before the flush, as the server counts them.
      type: int
      sample: 1284
    bytes_before:
      description: Memory of these items in bytes.
      type: int
      sample: 5242880
    survivors_first:
      description: Old items that the first flush left, and that were deleted by name; V(null) if they can't be counted.
      type: int
      sample: 3
    survivors:
      description: Old items that are left at the end; V(null) if they can't be counted.
      type: int
      sample: 0
    verified:
      description: Whether the list of the server's keys shows that nothing old is left.
      type: bool
      sample: true
    unverified_reason:
      description: Why that is not known; empty if it is.
      type: str
      sample: ""
    flushes:
      description: How many flushes the server said OK to; not where keys were chosen.
      type: int
      sample: 1
    deleted:
      description: How many keys the server deleted, or would delete; only where keys were chosen, as all that follow.
      type: int
      sample: 1204
    kept:
      description: How many keys that begin with a prefix were to be left, by O(match) or O(keep).
      type: int
      sample: 41
    sessions:
      description: How many of these look like sessions of Django.
      type: int
      sample: 41
    others:
      description: How many keys begin with none of O(prefix).
      type: int
      sample: 20
    prefixes:
      description: How many of these begin with each C(KEY_PREFIX:VERSION:); the twenty most frequent ones.
      type: dict
      sample: {'blog:1:': 20}
    readings:
      description: How often the list of keys was read.
      type: int
      sample: 2
    milliseconds:
      description: How long the work on this server took.
      type: int
      sample: 1127
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _module
from ansible_collections.juno.deploy.plugins.module_utils._memcached import delete, flush, keys
from ansible_collections.juno.deploy.plugins.module_utils._memcached import report as memcached_report
from ansible_collections.juno.deploy.plugins.module_utils._memcached import servers as memcached_servers


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Find the servers, flush them or delete what is chosen, and report."""
    options = memcached_servers.options_from(module.params)
    selection = keys.parse_selection(module.params)
    servers = memcached_servers.find_servers(module.params)
    if selection:
        chosen = [(server, selection) for server in servers]
        ended = delete.delete_selected(chosen, options, check_mode=module.check_mode)
        for warning in memcached_report.warnings_selected(ended):
            module.warn(warning)
        return memcached_report.report_selected(ended)
    outcomes = flush.flush_servers(servers, options, check_mode=module.check_mode)
    report = memcached_report.report(outcomes)
    for warning in memcached_report.warnings(outcomes):
        module.warn(warning)
    memcached_report.require_flushed(outcomes, report)
    return report


def main() -> None:
    texts: dict[str, t.Any] = {"type": "list", "elements": "str", "default": []}
    spec = {**memcached_servers.ARGUMENTS, "prefix": texts, "match": texts, "keep": texts}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **memcached_servers.RULES)
    _module.run(module, work)


if __name__ == "__main__":
    main()
