# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hashed names are those of an old release."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._verify import manifest

NOW = manifest.parse(
    "/code/staticfiles/staticfiles.json",
    json.dumps(
        {
            "paths": {
                "css/site.css": "css/site.111111111111.css",
                "img/a.png": "img/a.222222222222.png",
                "LICENSE": "LICENSE.333333333333",
                "js/app.aabbccddeeff.js": "js/app.aabbccddeeff.444444444444.js",
            },
            "version": "1.1",
            "hash": "55e7cbb9ba48",
        }
    ).encode(),
)


def test_parse():
    assert "css/site.css" in NOW.names
    assert "LICENSE.333333333333" in NOW.hashed
    assert NOW.path == "/code/staticfiles/staticfiles.json"


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"null", b"{}", b'{"paths": []}', b'{"paths": {"a": 1}}', b"[" * 100_000],
)
def test_what_is_no_manifest(body):
    assert manifest.parse("/m.json", body) is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("css/site.111111111111.css", "css/site.css"),
        ("css/site.min.111111111111.css", "css/site.min.css"),
        ("LICENSE.333333333333", "LICENSE"),
        ("js/app.aabbccddeeff.444444444444.js", "js/app.aabbccddeeff.js"),
        ("css/site.css", ""),
        ("css/site.11111111111.css", ""),
        ("css/site.11111111111G.css", ""),
        ("css.111111111111.d/site.css", ""),
    ],
)
def test_plain_name(name, plain):
    assert manifest.plain_name(name) == plain


@pytest.mark.parametrize(
    ("assets", "old"),
    [
        (["/static/css/site.111111111111.css", "/static/LICENSE.333333333333"], []),
        (["/static/css/site.999999999999.css"], ["/static/css/site.999999999999.css"]),
        (["/assets/v2/css/site.999999999999.css?x=1"], ["/assets/v2/css/site.999999999999.css?x=1"]),
        (["/static/css/gone.999999999999.css"], []),
        (
            ["/static/img/a.222222222222.png", "/static/css/gone.999999999999.css"],
            ["/static/css/gone.999999999999.css"],
        ),
        (["/static/img/a.222222222222.png", "/media/photo.999999999999.png"], []),
        (["/static/js/app.aabbccddeeff.444444444444.js"], []),
        (["/static/js/app.aabbccddeeff.js", "/static/css/site.css"], []),
        (["/media/app.aabbccddeeff.js"], []),
    ],
    ids=[
        "of now", "old", "old elsewhere", "prefix not known", "prefix known, source gone", "not a static file",
        "hash of a bundler too", "not hashed by Django", "hash of a bundler only",
    ],
)  # fmt: skip
def test_strangers(assets, old):
    assert manifest.strangers(NOW, assets) == old
