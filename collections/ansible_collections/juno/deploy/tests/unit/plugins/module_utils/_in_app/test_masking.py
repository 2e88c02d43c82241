# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret is told, and what isn't secret is."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import masking as it

NASTY = "p'a ss/w@rd%"


def settings(**names):
    return types.SimpleNamespace(**{"CACHES": {}, **names})


@pytest.mark.parametrize(
    ("names", "secret"),
    [
        ({"SECRET_KEY": "abc"}, "abc"),
        ({"SECRET_KEY": b"abc"}, "abc"),
        ({"SECRET_KEY_FALLBACKS": ["one", "old-key"]}, "old-key"),
        ({"DATABASES": {"default": {"PASSWORD": NASTY}}}, NASTY),
        ({"DATABASES": {"default": {"OPTIONS": {"passwd": "abc"}}}}, "abc"),
        ({"EMAIL_HOST_PASSWORD": "mail-pw"}, "mail-pw"),
        ({"SENTRY": {"dsn": "https://k@s/1"}}, "https://k@s/1"),
        ({"BROKER": "amqp://user:abc@host/x"}, "abc"),
        ({"BROKER": "amqp://user:a%2Fc@host/x"}, "a/c"),
        ({"BROKER": f"amqp://user:{NASTY}@host"}, NASTY),
        ({"CACHES": {"default": {"LOCATION": {"password": "abc"}}}}, "abc"),
        ({"CACHES": {"default": {"LOCATION": ["redis://:abc@one", "redis://:def@two"]}}}, "def"),
        ({"CACHES": {"default": {"OPTIONS": {"user_word": "not for you"}}}}, "not for you"),
    ],
)
def test_secrets_in_settings(names, secret):
    assert secret in it.secrets_of(settings(**names), {})


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("DJANGO_SECRET_KEY", "abc", 1),
        ("DATABASE_URL", "postgres://u:abc@h/d", 0),
        ("STRIPE", "sk_live_4f0a9d", 1),
        ("PWD", "/code", 0),
        ("HOME", "/root", 0),
        ("ENVIRONMENT", "production", 0),
        ("PYTHON_VERSION", "3.13.5", 0),
        ("AUTH_SWITCH", "True", 0),
        ("DJANGO_SETTINGS_MODULE", "shop2.settings", 0),
    ],
)
def test_secrets_in_the_environment(name, value, is_secret):
    assert (value in it.secrets_around({name: value})) == bool(is_secret)


def test_the_password_of_a_url_in_the_environment():
    assert it.secrets_around({"DATABASE_URL": "postgres://u:abc@h/d"}) == {"abc"}


def test_what_only_sounds_secret_is_told():
    dotted = "django.contrib.auth.hashers.Argon2PasswordHasher"
    plain = {
        "PASSWORD_HASHERS": [dotted],
        "AUTH_USER_MODEL": "shop.User",
        "CACHES": {"tokens": {"LOCATION": "127.0.0.1:11211", "KEY_PREFIX": "shop", "OPTIONS": {"CLASS": "a.b.C"}}},
    }
    assert it.secrets_of(settings(**plain), {}) == set()


def test_a_setting_that_cannot_be_read_is_passed_over():
    class Settings:
        CACHES: dict = {}  # noqa: RUF012

        @property
        def SECRET_KEY(self):  # noqa: N802
            raise ValueError("must not be empty")

    assert it.secrets_of(Settings(), {}) == set()


@pytest.mark.parametrize(
    "text",
    [
        "it was {}.",
        "redis://:{}@host refused",
        "repr {!r}",
        "Error connecting to redis://user:%70w@host",
    ],
)
def test_texts(text):
    hidden = it.Hider([NASTY, "pw"]).text(text.format(NASTY))
    assert it.MASK in hidden
    for form in (NASTY, repr(NASTY)[1:-1], "p'a", "w@rd", "%70w"):
        assert form not in hidden


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("127.0.0.1:11211", "127.0.0.1:11211"),
        ("/run/memcached.sock", "/run/memcached.sock"),
        ("redis://host:6379/0?db=2", "redis://host:6379/0?db=2"),
        ("redis://:abc@host:6379/0", "redis://********@host:6379/0"),
        (f"redis://:{NASTY}@host/1", "redis://********@host/1"),
        ("user:abc@host:11211", "********@host:11211"),
        ("redis://host/0?password=abc&db=1", "redis://host/0?password=********&db=1"),
        ("unix:///r.sock?db=1;password=a b", "unix:///r.sock?db=1;password=********"),
        ("cache_table", "cache_table"),
    ],
)
def test_locations(location, shown):
    assert it.Hider([]).location(location) == shown


def test_short_words_are_left_alone():
    assert it.Hider(["a", "10"]).text("a cache at 10.0.0.1") == "a cache at 10.0.0.1"


def test_the_longest_secret_goes_first():
    assert it.Hider(["abc", "abcdef"]).text("abcdef") == it.MASK
