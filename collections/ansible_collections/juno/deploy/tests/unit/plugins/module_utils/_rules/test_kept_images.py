# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the images of an earlier release are found."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules.kept_images import KeptImages, references
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry

BUILT = {"build": {"context": "/root/JunoJobs"}}
SERVICES = {"web": BUILT, "cron": BUILT, "queue": {"image": "here:5000/queue"}, "db": {"image": "postgres"}}
CONFIG = {"name": "jobs", "services": SERVICES}
RELEASE = Entry(number=1, commit="a" * 40, outcome="done")
NAMES = {service: f"jobs-{service}:juno-{'a' * 12}" for service in ("web", "cron")}


def of(entry, known, services=("web", "cron"), pulled=(), known_as=()):
    return KeptImages(CONFIG, dict(known).get, services, pulled, dict(known_as)).of(entry)


@pytest.mark.parametrize(
    ("services", "images", "known", "found"),
    [
        (("web", "cron"), {}, list(NAMES.values()), NAMES),
        # Of others none is touched.
        (("web",), {}, list(NAMES.values()), {"web": NAMES["web"]}),
        # A name may have come to mean another image.
        (("web",), {"web": "sha256:1"}, ["sha256:1", NAMES["web"]], {"web": "sha256:1"}),
    ],
)
def test_what_was_built(services, images, known, found):
    entry = Entry(number=1, commit="a" * 40, images=images)
    assert of(entry, dict.fromkeys(known, "sha256:1"), services) == found


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ({"images": {"queue": "sha256:q"}}, {"queue": "sha256:q"}),
        ({"task_images": {"queue": "sha256:q"}}, {"queue": "sha256:q"}),
        # The release had no such service.
        ({}, {}),
    ],
)
def test_what_was_pulled(recorded, found):
    entry = Entry(number=1, commit="a" * 40, **recorded)
    assert of(entry, {"sha256:q": "sha256:q"}, ("queue",), ("queue",)) == found


def test_an_image_that_is_no_longer_kept_is_told():
    with pytest.raises(BadInputError, match=r"jobs-web:juno-a{12} of release 1 is no longer here .*keep_releases"):
        of(RELEASE, {})


def test_what_brings_a_pulled_one_back_is_told():
    entry = Entry(number=1, commit="a" * 40, images={"queue": "sha256:q"}, pulled={"queue": "here:5000/queue@sha256:d"})
    again = Entry(number=2, commit="a" * 40, images={"queue": "sha256:q"})
    known_as = references([entry, Entry(number=3, pulled={"queue": "here:5000/queue@sha256:failed"})])
    assert known_as == {"sha256:q": "here:5000/queue@sha256:d"}
    says = re.escape("bring it back (docker pull here:5000/queue@sha256:d), go back to a newer one")
    with pytest.raises(BadInputError, match=says):
        of(again, {}, ("queue",), ("queue",), known_as)
