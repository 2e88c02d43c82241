# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a build context is, and what of it is named."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import context_size

APP = "/srv/shop"
OUTPUT = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 359B done
#4 [web internal] load .dockerignore
#4 transferring context: 900.00MB done
#7 [web internal] load build context
#7 transferring context: 5.24MB 0.1s
#7 transferring context: {} 2.0s done
#8 [web 2/4] WORKDIR /code
"""


@pytest.mark.parametrize(
    ("size", "found"), [("572B", 5_240_000), ("130.25MB", 130_250_000), ("1.50GB", 1_500_000_000), ("7kB", 5_240_000)]
)
def test_what_was_sent(size, found):
    assert context_size.largest_sent(OUTPUT.format(size)) == found


def test_what_tells_nothing():
    assert context_size.largest_sent("Step 1/4 : FROM python") == 0


@pytest.fixture
def checkout(tmp_path):
    for name, size in {
        "app/Dockerfile": 10,
        "app/media/a.jpg": 3000,
        "app/media/b/c.jpg": 4000,
        "app/x.sql": 500,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return tmp_path


def services():
    return {name: {"build": {"context": f"{APP}/app", "dockerfile": "Dockerfile"}} for name in ("web", "worker")}


def test_a_large_one_is_told_once_with_what_it_consists_of(checkout, monkeypatch):
    monkeypatch.setattr(context_size, "LARGE", 7000)
    monkeypatch.setattr(context_size, "_megabytes", str)
    output = OUTPUT.replace("5.24MB", "5.24kB").format("7.51kB")
    words = (
        "7510.0 of the build context are sent to the Engine for each build (its largest: media/b 4000, "
        "media/a.jpg 3000, x.sql 500): name in app/.dockerignore what no image needs."
    )
    assert context_size.notices(output, services(), APP, str(checkout)) == [words]


@pytest.mark.parametrize("file", ["app/.dockerignore", "app/Dockerfile.dockerignore"])
def test_what_is_kept_out_does_not_count(checkout, monkeypatch, file):
    monkeypatch.setattr(context_size, "LARGE", 7000)
    (checkout / file).write_text("media/b\n")
    assert "media/b" not in context_size.sizes(f"{checkout}/app", f"{checkout}/app/Dockerfile")
    assert context_size.notices(OUTPUT.format("9kB"), services(), APP, str(checkout)) == []


def test_a_small_one_is_not_looked_at(checkout, monkeypatch):
    monkeypatch.setattr(context_size, "sizes", lambda *_given: pytest.fail("It was looked at."))
    assert context_size.notices(OUTPUT.format("5MB"), services(), APP, str(checkout)) == []


def test_one_elsewhere_is_nobodys(checkout):
    elsewhere = {"web": {"build": {"context": "/elsewhere"}}}
    assert context_size.notices(OUTPUT.format("99MB"), elsewhere, APP, str(checkout)) == []
