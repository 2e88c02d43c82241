# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release did beside its switch, as lines for a person."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._release.report_details import lines

NOT_GIT = "Static: collected from the checkout, since git does not have them"
LINKS = "Static: not collected, since they are links that git does not have"
DUMP = {"path": "/var/lib/juno/junojobs/backup/20261122T190000Z-r9-site.dump", "bytes": 3 * 1024**2, "seconds": 1.0}
SQLITE = {"path": "/var/lib/juno/junojobs/backup/20261122T190000Z-r9-db.sqlite3", "bytes": 155648, "seconds": 0.02}
PRUNED = {"pruned_count": 3, "pruned_bytes": 61007}

BUILT = {
    "a bucket": (
        {"static": {"added": 2, "replaced": 1, "place": "the bucket 'shop'", "why": ""}},
        ["Static: 2 files new, 1 replaced in the bucket 'shop'"],
    ),
    "a folder": ({"static": {"added": 2, "replaced": 1, "why": ""}}, []),
    "in the image": ({"static": {"why": "/code/static is in the image, not in a volume"}}, []),
    "static files left to Django": (
        {"static": {"added": 0, "why": "s3.Own keeps its manifest elsewhere; left to Django"}},
        ["Notice: static files: s3.Own keeps its manifest elsewhere; left to Django"],
    ),
    "nothing was done on the way": (
        {
            "actions": [{"what": "image", "id": "web", "status": "built"}],
            "not_pulled": [],
            "unlooked": [],
            "untracked": [],
        },
        [],
    ),
    "notices": (
        {"not_pulled": ["proxy was not pulled"], "unlooked": ["the database was not asked"]},
        ["Notice: proxy was not pulled", "Notice: the database was not asked"],
    ),
    "images of a registry": (
        {"pulled": {"web": "shop@sha256:1", "mail": "mail@sha256:2", "queue": "shop@sha256:1"}},
        ["Image:  shop@sha256:1 (web, queue)", "Image:  mail@sha256:2 (mail)"],
    ),
    "three files without git": ({"untracked": ["a.css", "b.css", "c.css"]}, [f"{NOT_GIT}: a.css, b.css, c.css"]),
    "four": ({"untracked": ["a.css", "b.css", "c.css", "d.css"]}, [f"{NOT_GIT}: a.css, b.css, c.css, ..."]),
    "a link": ({"links_left_out": ["static/uploads"]}, [f"{LINKS}: static/uploads"]),
    "four links": ({"links_left_out": ["a", "b", "c", "d"]}, [f"{LINKS}: a, b, c, ..."]),
}
SWITCHED = {
    "nothing was done on the way": (
        {
            "services": {"started": [], "replaced": [], "replaced_seconds": 0.0},
            "bytecode": {"files_removed": 0, "reasons": {}, "words": ""},
            "static": {"removed": 0, "bytes": 0, "why": "it has no manifest", "carried": 0},
            "collected": {"why": "/code/staticfiles is in the image, not in a volume"},
        },
        [],
    ),
    "a notice of two lines": ({"notices": ["one\ntwo"]}, ["Notice: one", "two"]),
    "services": (
        {"services": {"started": ["cron"], "replaced": ["db", "proxy"], "replaced_seconds": 1.25}},
        ["Services: started for the first time: cron", "Services: replaced db, proxy in 1.25 s"],
    ),
    "bytecode": (
        {"bytecode": {"files_removed": 2, "words": "Removed 2 bytecode files: 2 because their source is gone."}},
        ["Bytecode: Removed 2 bytecode files: 2 because their source is gone."],
    ),
    "earlier static files": (
        {"static": {"removed": 12, "bytes": 48213, "why": "", "carried": 7}},
        [
            "Static: 12 files of earlier releases removed, 47.08 KB",
            "Static: 7 files of earlier releases, which only their images hold, came along",
        ],
    ),
    "a release that is gone back to": (
        {"collected": {"added": 0, "replaced": 1, "removed": 0}},
        ["Static: collected again for this release, 0 files new, 1 replaced"],
    ),
    "the same, not staged": (
        {"collected": {"added": 4, "removed": 0}},
        ["Static: collected again for this release, 4 files new, 0 replaced"],
    ),
}
MIGRATED = {
    "migrations": (
        {
            "actions": [
                *({"what": "migration", "id": f"shop.000{number}", "status": "applied"} for number in (1, 2, 3, 4)),
                {"what": "migration", "id": "shop.0005", "status": "applied by another host"},
            ]
        },
        ["Migrations: shop.0001, shop.0002, shop.0003, ... applied", "Migrations: shop.0005 applied by another host"],
    ),
    "nothing to copy, and no word why": ({"backups": [], "notices": []}, []),
    "copies": (
        {"backups": [SQLITE, DUMP], "notices": []},
        [f"Backup: {SQLITE['path']}, 152.00 KB in 0.02 s", f"Backup: {DUMP['path']}, 3.00 MB in 1.0 s"],
    ),
    "none": (
        {"backups": [], "notices": ["no pg_dump is there for site"]},
        ["Backup: none, since no pg_dump is there for site"],
    ),
}
COLLECTED = {
    "staged": (
        {"added": 0, "replaced": 1, **PRUNED},
        ["Static: 0 files new, 1 replaced, 3 of earlier releases removed (59.58 KB)"],
    ),
    # django_collectstatic tells of replaced files where it has staged them, and of no other.
    "left to Django": (
        {"added": 2, "pruned_count": 0, "pruned_bytes": 0},
        ["Static: 2 files new, 0 replaced, 0 of earlier releases removed (0.00 Bytes)"],
    ),
}


@pytest.mark.parametrize(("built", "expected"), BUILT.values(), ids=BUILT)
def test_by_the_build(built, expected):
    assert lines(built, {}, {}, {}) == expected


@pytest.mark.parametrize(("switched", "expected"), SWITCHED.values(), ids=SWITCHED)
def test_by_the_switch(switched, expected):
    assert lines({}, {}, {}, switched) == expected


@pytest.mark.parametrize(("migrated", "expected"), MIGRATED.values(), ids=MIGRATED)
def test_by_migrations(migrated, expected):
    assert lines({}, migrated, {}, {}) == expected


@pytest.mark.parametrize(("collected", "expected"), COLLECTED.values(), ids=COLLECTED)
def test_by_collecting_from_scratch(collected, expected):
    assert lines({}, {}, collected, {}) == expected


def test_services_that_the_check_needed_come_first():
    built = {"actions": [{"what": "service", "id": "memcached", "status": "started"}]}
    switched = {"services": {"started": ["cron"], "replaced": []}}
    assert lines(built, {}, {}, switched) == ["Services: started for the first time: memcached, cron"]
