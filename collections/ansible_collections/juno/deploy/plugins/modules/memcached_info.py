#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say how memcached servers fare and what to do about it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: memcached_info
short_description: Say how memcached servers fare and what to do about it
version_added: 0.1.0
description:
  - Reads the statistics of one or more memcached servers, all at the same time, and changes nothing.
  - Gives the figures that a person acts on, advice in words with the figure behind each, and a table to print.
  - A server that does not answer is reported with the reason, beside the others. The module fails only if none answers.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.memcached
  - juno.deploy.compose
  - juno.deploy.compose.engine
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - Changes nothing.
  idempotent:
    support: full
  platform:
    platforms: posix
    support: full
notes:
  - All counters run since the server was started. A rate per hour of a server that runs for less than an hour counts
    that time as one hour.
  - A server in a container listens on all addresses of the container, which is fine while its port is not published.
    With O(project) the module asks the Engine for that; for O(servers) it can judge by the server's settings only.
seealso:
  - module: juno.deploy.memcached_flush
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Look at the memcached of a compose project
  juno.deploy.memcached_info:
    project: junojobs
    service: memcached
  register: cache

- name: Print the table
  ansible.builtin.debug:
    msg: "{{ cache.table + cache.advice }}"

- name: Stop if items had to go for lack of memory
  ansible.builtin.assert:
    that: cache.results | map(attribute='evictions') | sum == 0
"""

RETURN = r"""
table:
  description: A line per figure with a column per server; then the reasons of those that did not answer.
  returned: always
  type: list
  elements: str
  sample:
    - "SERVER   172.18.0.3:11211"
    - "VERSION            1.6.38"
    - "HITS               93.1 %"
advice:
  description: What to do, one sentence each, beginning with the server.
  returned: always
  type: list
  elements: str
  sample:
    - "172.18.0.3:11211: 1,234 items were evicted before their time (56.1 per hour), the last after 2 h without a read,
      with 92.4 % of 64.0 MiB in use: raise memcached -m to 128."
unreachable_servers:
  description: Addresses of the servers that did not answer.
  returned: always
  type: list
  elements: str
  sample: []
results:
  description: The figures of each server, in the order of O(servers).
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
        - V(ok), or why it did not answer. V(refused), V(silent), V(closed), V(unreachable), V(name) (not resolvable),
          V(auth), V(tls), V(error). Then the figures are missing.
      type: str
      sample: ok
    message:
      description: What is wrong and what to do; empty if it answered.
      type: str
      sample: ""
    version:
      description: Version of memcached.
      type: str
      sample: 1.6.38
    uptime_seconds:
      description: Time since its start.
      type: int
      sample: 273600
    hit_percent:
      description: Reads that found something, in percent; V(null) if nothing was read.
      type: float
      sample: 93.1
    reads:
      description: Number of reads.
      type: int
      sample: 81204
    hits:
      description: Number of reads that found something.
      type: int
      sample: 75600
    misses_expired:
      description: Reads of items that had expired.
      type: int
      sample: 12
    misses_flushed:
      description: Reads of items that had been flushed.
      type: int
      sample: 7
    flushes:
      description: Number of flushes.
      type: int
      sample: 3
    item_count:
      description: Number of items that it holds.
      type: int
      sample: 1284
    items_stored:
      description: Number of items that were ever stored.
      type: int
      sample: 90211
    bytes_used:
      description: Memory of the items.
      type: int
      sample: 12897485
    bytes_limit:
      description: Memory that it may use for items (C(-m)).
      type: int
      sample: 67108864
    memory_percent:
      description: RV(results[].bytes_used) of RV(results[].bytes_limit), in percent.
      type: float
      sample: 19.2
    oldest_seconds:
      description: Age of the oldest item at the end of a queue, the next to be evicted.
      type: int
      sample: 7500
    evictions:
      description: Items that had to go for lack of memory before they expired.
      type: int
      sample: 0
    evictions_per_hour:
      description: The same per hour.
      type: float
      sample: 0.0
    evicted_unread:
      description: Evicted items that nobody had read.
      type: int
      sample: 0
    expired_unread:
      description: Expired items that nobody had read.
      type: int
      sample: 40
    out_of_memory:
      description: Writes that were refused for lack of memory.
      type: int
      sample: 0
    values_too_large:
      description: Writes that were refused because the value was larger than C(-I).
      type: int
      sample: 0
    connections:
      description: Open connections.
      type: int
      sample: 4
    connections_max:
      description: Connections that it takes at most (C(-c)).
      type: int
      sample: 1024
    connections_refused:
      description: Connections that were refused, or kept waiting, because there were too many.
      type: int
      sample: 0
    pressed_classes:
      description: Classes of sizes that had evictions or refused writes, the worst first.
      type: list
      elements: dict
      contains:
        number:
          description: Number of the class.
          type: int
          sample: 12
        chunk_bytes:
          description: Largest item of the class, key and header included.
          type: int
          sample: 1184
        item_count:
          description: Items in it.
          type: int
          sample: 3540
        oldest_seconds:
          description: Age of its oldest item.
          type: int
          sample: 61
        evictions:
          description: Evictions in it.
          type: int
          sample: 16460
        evicted_idle_seconds:
          description: How long the item evicted last had not been read.
          type: int
          sample: 61
        out_of_memory:
          description: Writes to it that were refused for lack of memory.
          type: int
          sample: 0
    settings:
      description: How it was started, as far as it matters for safety and for flushing.
      type: dict
      contains:
        listens:
          description: Where it listens, V(*) for all addresses, or the path of its unix socket.
          type: str
          sample: "*"
        tcp_port:
          description: Its TCP port, V(0) if it has none.
          type: int
          sample: 11211
        udp_port:
          description: Its UDP port, V(0) if it has none.
          type: int
          sample: 0
        login:
          description: Whether it asks for a login.
          type: bool
          sample: false
        tls:
          description: Whether it speaks TLS.
          type: bool
          sample: false
        flush_enabled:
          description: Whether it can be flushed.
          type: bool
          sample: true
        flush_verifiable:
          description: Whether a flush can be verified.
          type: bool
          sample: true
        shutdown_command:
          description: Whether clients may stop it.
          type: bool
          sample: false
        item_bytes_max:
          description: The largest item that it stores (C(-I)).
          type: int
          sample: 1048576
    advice:
      description: What to do about this server, the gravest first.
      type: list
      elements: dict
      contains:
        id:
          description: A word for it, for programs.
          type: str
          sample: memory
        level:
          description: V(danger) if others can get in, V(problem) if something is lost, V(hint) if it could do better.
          type: str
          sample: problem
        text:
          description: What to do, with the figure behind it.
          type: str
          sample: "UDP port 11211 is open, which others misuse to flood third parties: start it with -U 0."
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _module
from ansible_collections.juno.deploy.plugins.module_utils._memcached import servers as memcached_servers
from ansible_collections.juno.deploy.plugins.module_utils._memcached import stats, stats_table


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Find the servers, ask them, and report."""
    options = memcached_servers.options_from(module.params)
    servers = memcached_servers.find_servers(module.params)
    outcomes = stats.read_servers(servers, options)
    report = stats_table.report(servers, outcomes)
    stats_table.require_one(servers, outcomes, report)
    return report


def main() -> None:
    module = AnsibleModule(
        argument_spec=memcached_servers.ARGUMENTS, supports_check_mode=True, **memcached_servers.RULES
    )
    _module.run(module, work)


if __name__ == "__main__":
    main()
