# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of docker that a release has while it is at work."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError

#: base64 of ci:t0p:S3cret.
AUTH = "Y2k6dDBwOlMzY3JldA=="
CI = {"registry": "ghcr.io", "username": "ci", "password": "t0p:S3cret"}
HUB = {**CI, "registry": "docker.io"}
KEY = "https://index.docker.io/v1/"


def login(**more):
    return {**CI, **more}


@pytest.fixture
def app(tmp_path, monkeypatch):
    """Return an app on a host whose user has never used docker."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    return app_app.App("/root/x", "jobs", "web", (), (), "", str(tmp_path / "state"))


def own(tmp_path, config, name="home/.docker"):
    """Let the user have a configuration."""
    place = tmp_path / name
    place.mkdir(parents=True)
    (place / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return place


def written(app):
    path = os.path.join(os.environ["DOCKER_CONFIG"], "config.json")
    assert os.path.dirname(path) == registry_logins.folder(app)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"registry": ""}, r"'', registry 2 in 'registry_logins', is not the host of a registry: write it as"),
        ({"registry": "https://ghcr.io"}, r"'https://ghcr.io', registry 2 .* without https:// and path\.$"),
        ({"registry": "ghcr.io/me"}, r"'ghcr.io/me', registry 2"),
        ({"registry": "ghcr.io:"}, r"'ghcr.io:', registry 2"),
        ({"registry": "ghcr.io\n"}, r"registry 2"),
        ({"username": ""}, r"'', the username for ghcr.io in 'registry_logins', is none .*: correct it\.$"),
        ({"username": "a:b"}, r"'a:b', the username for ghcr.io"),
        (
            {"password": ""},
            r"password for ghcr.io in 'registry_logins' is empty: set it, or leave that registry out\.$",
        ),
        ({"password": "\n"}, r"password for ghcr.io in 'registry_logins' is empty"),
        ({"registry": "index.docker.io"}, r"'registry_logins' has more than one login for docker.io: leave one\.$"),
    ],
)
def test_what_is_no_login(more, says):
    with pytest.raises(BadInputError, match=says) as refused:
        registry_logins.check([HUB, login(**more)])
    assert CI["password"] not in str(refused.value)


@pytest.mark.parametrize("registry", ["ghcr.io", "127.0.0.1:5000", "localhost", "[::1]:5000", "a-b.example:443"])
def test_what_is_one(registry):
    registry_logins.check([login(registry=registry), HUB])
    assert registry_logins.registries([login(registry=registry), HUB]) == (registry, "docker.io")


def test_who_never_used_docker(app):
    registry_logins.write(app, [CI, login(registry="docker.io", password="t0p:S3cret\n")])
    assert written(app) == {"auths": {"ghcr.io": {"auth": AUTH}, KEY: {"auth": AUTH}}}
    assert os.environ["DOCKER_CONFIG"] == f"{app.state_root}/jobs/docker"
    modes = [
        stat.S_IMODE(os.stat(one).st_mode)
        for one in (registry_logins.folder(app), f"{app.state_root}/jobs/docker/config.json")
    ]
    assert modes == [0o700, 0o600]


@pytest.mark.parametrize("name", ["home/.docker", "elsewhere"])
def test_what_the_user_has_stays_and_is_not_touched(app, tmp_path, monkeypatch, name):
    config = {"auths": {"r.io": {"auth": "x"}, "ghcr.io": {"auth": "y"}}, "proxies": {"default": {"httpProxy": "p"}}}
    place = own(tmp_path, config, name)
    if name == "elsewhere":
        monkeypatch.setenv("DOCKER_CONFIG", str(place))
    (place / "cli-plugins").mkdir()
    (place / "cli-plugins" / "docker-compose").write_text("#!/bin/sh\n")
    registry_logins.write(app, [CI])
    assert written(app) == {**config, "auths": {"r.io": {"auth": "x"}, "ghcr.io": {"auth": AUTH}}}
    assert os.path.exists(os.path.join(os.environ["DOCKER_CONFIG"], "cli-plugins", "docker-compose"))
    registry_logins.remove(app)
    assert not os.path.lexists(registry_logins.folder(app))
    assert json.loads((place / "config.json").read_text()) == config
    assert (place / "cli-plugins" / "docker-compose").exists()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({"credHelpers": {"r.io": "pass"}}, {"credHelpers": {"r.io": "pass"}}, id="of another registry"),
        # The helper would be asked, and the login never read.
        pytest.param({"credHelpers": {"ghcr.io": "pass"}}, {}, id="of this one"),
        pytest.param({"credHelpers": {KEY: "pass"}}, {}, id="of the hub"),
        pytest.param({"credsStore": "pass"}, {}, id="of all"),
        pytest.param(
            {"credsStore": "pass", "auths": {"r.io": {}, "ghcr.io": {}}, "credHelpers": {"o.io": "ecr"}},
            {"credHelpers": {"r.io": "pass", "o.io": "ecr"}, "auths": {"r.io": {}}},
            id="of all that it knows",
        ),
    ],
)
def test_what_keeps_logins_elsewhere(config, expected):
    mine = {"ghcr.io": {"auth": AUTH}, KEY: {"auth": AUTH}}
    auths = {**expected.get("auths", {}), **mine}
    assert registry_logins.configuration(config, [CI, HUB]) == {**expected, "auths": auths}


@pytest.mark.parametrize(("config", "says"), [("{", "can't be read"), ("[]", "is not an object in JSON: correct it.")])
def test_a_configuration_that_is_none(app, tmp_path, config, says):
    own(tmp_path, config)
    with pytest.raises(BadInputError, match=rf"home/\.docker/config\.json {says}"):
        registry_logins.write(app, [CI])
    assert not os.path.lexists(registry_logins.folder(app))


def test_what_an_earlier_release_left_goes(app):
    registry_logins.write(app, [CI, HUB])
    del os.environ["DOCKER_CONFIG"]
    registry_logins.write(app, [HUB])
    assert list(written(app)["auths"]) == [KEY]
    del os.environ["DOCKER_CONFIG"]
    registry_logins.write(app, [])
    assert not os.path.lexists(registry_logins.folder(app))
    registry_logins.use(app)
    assert "DOCKER_CONFIG" not in os.environ


def test_another_process_of_the_release_uses_them(app, monkeypatch):
    registry_logins.write(app, [CI])
    monkeypatch.delenv("DOCKER_CONFIG")
    registry_logins.use(app)
    assert list(written(app)["auths"]) == ["ghcr.io"]


def test_what_is_in_the_way(app, tmp_path):
    (tmp_path / "state" / "jobs").mkdir(parents=True)
    (tmp_path / "state" / "jobs" / "docker").write_text("")
    with pytest.raises(JunoError, match=r"can't be written to .*state/jobs/docker \(File exists\): remove what is in"):
        registry_logins.write(app, [CI])
    assert "DOCKER_CONFIG" not in os.environ


def test_a_look_leaves_nothing(app):
    with registry_logins.for_a_look([CI]):
        place = os.environ["DOCKER_CONFIG"]
        with open(os.path.join(place, "config.json"), encoding="utf-8") as file:
            assert json.load(file) == {"auths": {"ghcr.io": {"auth": AUTH}}}
    assert not os.path.exists(os.path.dirname(place))
    assert not os.path.exists(app.state_root)


def test_a_look_without_logins_has_the_users_own(app):
    with registry_logins.for_a_look([]):
        assert "DOCKER_CONFIG" not in os.environ


def test_passwords_are_hidden(monkeypatch):
    monkeypatch.setattr(masking, "known", masking.Known())
    registry_logins.learn([login(password="t0p:S3cret\n")])
    shown = masking.hide(f"docker said t0p:S3cret, and sent {AUTH}")
    assert shown == f"docker said {masking.MASK}, and sent {masking.MASK}"
