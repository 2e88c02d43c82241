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
  - juno.deploy.plan
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
  purpose:
    description:
      - What is brought into service. V(deploy) fetches the newest commit, V(rollback) takes an earlier release,
        V(restart) what serves already.
    type: str
    choices: [deploy, rollback, restart]
    default: deploy
  release:
    description:
      - For O(purpose=rollback), the number of the release to go back to; 0 takes the newest good one of another
        commit.
    type: int
    default: 0
  pages:
    description:
      - The pages by which a release is verified, as for M(juno.deploy.freshness_check). The new code must show them
        before visitors get it; the first of them is what is asked for to learn whether the site answers.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Path with an optional query, beginning with a slash.
        type: str
        required: true
      status:
        description:
          - HTTP status that the page must answer.
        type: int
        default: 200
      contains:
        description:
          - Texts that the page's source must contain, as they are written in HTML.
        type: list
        elements: str
        default: []
      excludes:
        description:
          - Texts that the page's source must not contain, for example one of the old release.
        type: list
        elements: str
        default: []
  headers:
    description:
      - Headers of all requests, for example C(Host).
    type: dict
    default: {}
  boot_timeout_seconds:
    description:
      - How long a container may take to start, and the site to answer, in seconds.
    type: int
    default: 120
  recollect:
    description:
      - With O(purpose=restart), collect all static files from scratch first, with the code that serves.
    type: bool
    default: false
  probe_rate:
    description:
      - How many requests per second the availability probe makes at the site's front door until the release is
        recorded; 0 makes none.
    type: float
    default: 0
  probe_paths:
    description:
      - The paths it asks for, in turn. Without them those of O(pages).
    type: list
    elements: str
    default: []
  caches:
    description:
      - How the app's caches are cleared.
    type: dict
    suboptions:
      method:
        description:
          - V(settings) does it as M(juno.deploy.django_cache_clear), V(memcached) as M(juno.deploy.memcached_flush).
        type: str
        choices: [settings, memcached, none]
        default: settings
      settings:
        description:
          - The settings module, with V(settings).
        type: str
      alias:
        description:
          - The caches to clear, with V(settings); all of them without it.
        type: list
        elements: str
      command:
        description:
          - The app's own management command that clears them, with V(settings).
        type: str
      service:
        description:
          - The compose service that runs memcached, with V(memcached).
        type: str
        default: memcached
      port:
        description:
          - The port that memcached listens at, with V(memcached).
        type: int
        default: 11211
      mode:
        description:
          - What of a cache goes, as with M(juno.deploy.django_cache_clear).
        type: str
        choices: [auto, selective, flush]
        default: auto
      keep:
        description:
          - Entries that stay, as with M(juno.deploy.django_cache_clear).
        type: list
        elements: str
        default: []
      allow_loss:
        description:
          - Allow a flush that takes sessions or keys of others.
        type: bool
        default: false
  proxy:
    description:
      - How the app's proxy (HAProxy) is made. Its image is pulled where it isn't there, before anything is built.
    type: dict
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
  build:
    description:
      - How the release is built and checked.
    type: dict
    suboptions:
      check_command:
        description:
          - The command, as a list of words, that tells whether the code can start.
          - An empty list leaves the throwaway container out, and with it all that is looked at there; static files
            are collected nevertheless.
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
          - How long O(build.check_command) may take, and as long everything else that is asked of the new code.
        type: int
        default: 120
      frontend:
        description:
          - The app's own command, as a list of words, that builds its front-end (Tailwind, say). It is run in a
            throwaway container, in the clean checkout, before the code is checked and static files are collected.
          - What it makes and git does not track is kept as long as the release, and M(juno.deploy.release_switch)
            puts it into the app's checkout.
        type: list
        elements: str
        default: []
  migrate:
    description:
      - How migrations are applied and reversed.
    type: dict
    suboptions:
      backup:
        description:
          - When the database is copied.
          - V(auto) copies it before migrations. Where no program is there that could,
            RV(juno.deploy.release_migrate#module:notices) says so.
          - V(always) copies it even if no migration is pending, and refuses to go on where it can't.
          - V(never) copies nothing.
        type: str
        choices: [auto, always, never]
        default: auto
      backup_timeout_seconds:
        description:
          - How long the dump of a server may take.
        type: int
        default: 600
      timeout_seconds:
        description:
          - How long the migrations may take. Reversing those before one that failed may take as long again.
        type: int
        default: 600
      lock_timeout_seconds:
        description:
          - How long a statement of a migration may wait for a lock (PostgreSQL, MySQL), in seconds. All that the
            site asks of the same table waits behind it.
          - An atomic migration that waited too long is tried again up to five times, with five seconds in between.
        type: int
        default: 5
  switch:
    description:
      - How the traffic moves.
    type: dict
    suboptions:
      grace_seconds:
        description:
          - How long an old server or worker may take to end its work before it is killed, where the compose file
            gives its service no C(stop_grace_period).
        type: int
        default: 30
      settle_seconds:
        description:
          - How long a new container must have been healthy before M(juno.deploy.release_record) removes the
            old one. It gets requests earlier, while the old one is kept at hand.
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
      prune_static:
        description:
          - Remove static files of earlier releases that are due, in a static root that is a directory of the managed
            host too (a bind mount or a local volume), right before the new workers start. When V(false) it is only
            remembered which files each release names.
        type: bool
        default: true
      protect_git:
        description:
          - Mount the checkout's C(.git) read-only over the place at which the app's containers see the checkout,
            so that their code can't write what git does on the host. New containers have it; O(strategy=reload)
            makes none.
        type: bool
        default: false
      warm_paths:
        description:
          - Pages, with their queries, that a new container is asked for before it gets requests of visitors, so
            that these find a filled cache. Only where nobody else can read what that fills, with a cache version of
            its own and O(strategy=rolling).
        type: list
        elements: str
        default: []
      warm_rate:
        description:
          - How many of O(switch.warm_paths) are asked for in a second, at most.
        type: float
        default: 20
  verify:
    description:
      - How the new release is verified, as with M(juno.deploy.freshness_check).
    type: dict
    suboptions:
      check_assets:
        description:
          - Whether to ask for the files that the pages name as well.
        type: bool
        default: true
      compare:
        description:
          - Ask for each page once more with a query that no page cache has seen, and compare what was served last
            with that rendering, without what differs by nature (CSRF tokens, nonces, times, ids), and without the
            part in which two such renderings differ from each other. A difference is a finding, no failure.
        type: bool
        default: false
      check_containers:
        description:
          - Whether the containers of O(project) are asked for pages.
        type: bool
        default: true
      html_max_age:
        description:
          - For how many seconds browsers and CDNs may keep a page, by C(Cache-Control) or C(Expires). One that
            they may keep for longer is a finding, no failure, since after a deploy nothing here can call it back.
          - The default is an hour. Django's C(cache_page) sends the time that it keeps a page for.
        type: int
        default: 3600
      sitemap:
        description:
          - Path of the sitemap, or of an index of sitemaps, as XML, packed by gzip or not.
        type: str
        default: /sitemap.xml
      sitemap_pages:
        description:
          - How many pages of O(verify.sitemap) are asked for as well, the first ones that are the site's own and
            not in O(pages).
          - Such a page must answer with a status below 500. A redirect or a status from 400 on is a finding, no
            failure.
          - A site without a sitemap is no finding.
        type: int
        default: 0
      log_pages:
        description:
          - How many of the pages that visitors asked for most often are asked for as well, like those of
            O(verify.sitemap_pages). A login page in its place is no finding.
          - They are taken from the end of the logs of the containers of O(service) and of the app's proxy, also of
            those that have ended (C(GET) requests without a query, answered with 200, three at least, in common or
            combined log format or in HAProxy's). Where no access log is kept there are none.
        type: int
        default: 0
      manifest:
        description:
          - The manifest of static files (C(staticfiles.json)) as a path in a container of O(service), relative
            to its working directory unless it begins with a slash. It is read without starting a process.
          - Where a page names a file by a hash that the manifest doesn't have, and the file is still there, the
            page is asked for once more past its cache. It is an old page, which is an error, if that rendering
            doesn't name the file; else a finding. Where there is no such manifest nothing is looked up.
        type: str
        default: ''
      release_header:
        description:
          - A response header in which the site names its commit; nothing where it has none.
        type: str
        default: ''
  record:
    description:
      - How much of earlier releases stays.
    type: dict
    suboptions:
      keep_releases:
        description:
          - How many releases that went well keep their images.
        type: int
        default: 5
      keep_backups:
        description:
          - After how many later releases that went well a copy of a database goes. The newest copy of each database
            stays.
        type: int
        default: 3
      keep_cache_mb:
        description:
          - How many MiB may be held by what only builds of this app left. Those are images of the compose project
            without a name, and build cache that came with its builds and that no other build has used since. V(0)
            leaves all of it alone.
        type: int
        default: 0
  site_url:
    description:
      - The site's address as visitors know it, for the report.
    type: str
    default: ''
  host_name:
    description:
      - The host's name in the inventory, for the report.
    type: str
    default: ''
  notices:
    description:
      - Sentences that the plan shows, too.
    type: list
    elements: str
    default: []
  at_once:
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
  patience_seconds:
    description:
      - How long the next step may be away this time; V(0) is O(controller_timeout_seconds).
    type: float
    default: 0
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
    type: str
    default: ''
  after:
    description:
      - How many events of the step are known already. The action plugin fills it in.
    type: int
    default: -1
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
  description: Whose run was given up for this one; empty where nobody was at work.
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
    "at_once": {"type": "bool", "default": False},
    "controller_timeout_seconds": {"type": "float", "default": 60},
    "lock_wait_seconds": {"type": "float", "default": 0},
    "patience_seconds": {"type": "float", "default": 0},
    "controller": {"type": "dict", "default": {}},
    "dead": {"type": "str", "default": ""},
    "package": {"type": "str", "default": ""},
    "archive": {"type": "str", "default": "", "no_log": False},
    "deployer": {"type": "str", "default": ""},
    "after": {"type": "int", "default": -1},
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
    request = start_deployer.StartRequest(directory, kept, holder_of(params), spec, timeout, params["at_once"])
    if dry:
        return start_deployer.look_only(request)
    handle, other = start_deployer.take_lock(directory, WAIT_SECONDS, params["dead"])
    if handle is None:
        return {"busy": other.as_dict() if other else {}}
    start_deployer.start(request, handle, f"{other.holder.who}, at work since {other.holder.since}" if other else "")
    asked |= {"patience": params["patience_seconds"], "seconds": follow.FIRST_SECONDS}
    return {**follow.follow(directory, params["deployer"], asked), "deployer": params["deployer"]}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={**options.RELEASE, **OWN}, supports_check_mode=True)
    # The action plugin tells by these alone what to do next.
    follow.run(module, lambda params: begin(json.loads(json.dumps(params)), dry=module.check_mode))


if __name__ == "__main__":
    main()
