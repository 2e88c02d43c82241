# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site is verified by, in a release and by itself."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(CHECKS) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  check_assets:
    description:
      - Whether to ask for the files that the pages name as well.
    type: bool
    default: true
  compare:
    description:
      - Ask for each page once more with a query that no page cache has seen, and compare what was served last with that
        rendering, without what differs by nature (CSRF tokens, nonces, times, ids), and without the part in which two
        such renderings differ from each other. A difference is a finding, no failure.
    type: bool
    default: false
    version_added: 0.2.0
  check_containers:
    description:
      - Whether the containers of O(project) are asked for pages.
    type: bool
    default: true
    version_added: 0.2.0
  html_max_age:
    description:
      - For how many seconds browsers and CDNs may keep a page, by C(Cache-Control) or C(Expires). One that they may
        keep for longer is a finding, no failure, since after a deploy nothing here can call it back.
      - The default is an hour. Django's C(cache_page) sends the time that it keeps a page for.
    type: int
    default: 3600
    version_added: 0.2.0
  sitemap:
    description:
      - Path of the sitemap, or of an index of sitemaps, as XML, packed by gzip or not.
    type: str
    default: /sitemap.xml
    version_added: 0.2.0
  sitemap_pages:
    description:
      - How many pages of O(sitemap) are asked for as well, the first ones that are the site's own and not in O(pages).
      - Such a page must answer with a status below 500. A redirect or a status from 400 on is a finding, no failure.
      - A site without a sitemap is no finding.
    type: int
    default: 0
    version_added: 0.2.0
  log_pages:
    description:
      - How many of the pages that visitors asked for most often are asked for as well, like those of O(sitemap_pages).
        A login page in its place is no finding.
      - They are taken from the end of the logs of the containers of O(service) and of the app's proxy, also of those
        that have ended (C(GET) requests without a query, answered with 200, three at least, in common or combined log
        format or in HAProxy's). Where no access log is kept there are none.
    type: int
    default: 0
    version_added: 0.2.0
  manifest:
    description:
      - The manifest of static files (C(staticfiles.json)) as a path in a container of O(service), relative to its
        working directory unless it begins with a slash. It is read without starting a process.
      - Where a page names a file by a hash that the manifest doesn't have, and the file is still there, the page is
        asked for once more past its cache. It is an old page, which is an error, if that rendering doesn't name the
        file; else a finding. Where there is no such manifest nothing is looked up.
    type: str
    default: ''
    version_added: 0.2.0
"""
