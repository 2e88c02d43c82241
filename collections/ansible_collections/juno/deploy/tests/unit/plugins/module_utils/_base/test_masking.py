# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken out of texts, and where it is known from."""

from __future__ import annotations

import json
import pathlib
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import masking as it

H = it.MASK


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """Each test is a process of its own."""
    monkeypatch.setattr(it, "known", it.Known())


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SECRET_KEY", True),
        ("DB_PASSWORD", True),
        ("db_pass", True),
        ("PGPASSWORD", True),
        ("STRIPE_TOKEN", True),
        ("SENTRY_DSN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("EMAIL_HOST_PASSWORD", True),
        ("GOOGLE_CREDENTIALS", True),
        ("BASIC_AUTH", True),
        ("AUTH_USER_MODEL", False),
        ("PASSENGERS", False),
        ("KEYWORDS", False),
        ("DB_PASSWORD_FILE", False),
        ("AWS_ACCESS_KEY_ID", False),
        ("CACHE_KEY_PREFIX", False),
        ("DJANGO_SETTINGS_MODULE", False),
        ("DATABASE_URL", False),
    ],
)
def test_what_is_named_like_a_secret(name, secret):
    assert it.is_secret(name) is secret


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgres://u:pa'ss@db/x", f"postgres://{H}@db/x"),
        ("at 'rediss://me:p@ss@host' and http://x/", f"at 'rediss://{H}@host' and http://x/"),
        ("amqp://me:p%40ss%2F@host//", f"amqp://{H}@host//"),
        ('{"url":"http://x/","mail":"me@y.z"}', '{"url":"http://x/","mail":"me@y.z"}'),
        ("mail me@example.org", "mail me@example.org"),
    ],
)
def test_every_address_loses_its_password(text, hidden):
    assert it.hide(text) == hidden


def test_a_password_is_known_by_the_address_that_holds_it():
    it.known.learn({"DATABASE_URL": "postgres://shop:pa'ss@w%2Frd9@db:5432/shop"})
    for text in ("pa'ss@w%2Frd9", "pa'ss@w/rd9", "pa%27ss%40w%2Frd9", repr(["pa'ss@w/rd9"])[2:-2]):
        assert it.hide(f'FATAL: password "{text}" failed') == f'FATAL: password "{H}" failed'


@pytest.mark.parametrize(
    ("values", "text", "hidden"),
    [
        ({"API_TOKEN": "tok-12345"}, "with tok-12345.", f"with {H}."),
        ({"API_TOKEN": 'a"b\\c\nd'}, json.dumps('a"b\\c\nd'), f'"{H}"'),
        ({"API_TOKEN": 'a"b\\c\nd'}, repr('a"b\\c\nd'), f"'{H}'"),
        ({"API_TOKEN": "a.b*c+d"}, "aXb*c+d a.b*c+d", f"aXb*c+d {H}"),
        # The longer one first.
        ({"A_KEY": "abcdef", "B_KEY": "abcdefgh"}, "abcdefgh abcdef", f"{H} {H}"),
        # Too short, a common word, a number, and the name of a user besides.
        ({"A_KEY": "abcde"}, "abcde", "abcde"),
        ({"POSTGRES_PASSWORD": "postgres"}, "postgres is down", "postgres is down"),
        ({"A_TOKEN": "1234567"}, "port 1234567", "port 1234567"),
        ({"A_PASSWORD": "junojobs", "POSTGRES_USER": "junojobs"}, "junojobs-web-1", "junojobs-web-1"),
        ({"A_PASSWORD": None, "B_PASSWORD": ""}, "nothing", "nothing"),
    ],
)
def test_values_are_hidden_in_each_form(values, text, hidden):
    it.known.learn(values)
    assert it.hide(text) == hidden


def test_what_is_learnt_later_is_hidden_too():
    it.known.learn({"A_KEY": "first-one"})
    assert it.hide("first-one second-one") == f"{H} second-one"
    it.learn_environment(["B_KEY=second-one", "PATH=/bin", "EMPTY"])
    assert it.hide("first-one second-one") == f"{H} {H}"


def test_a_result_is_hidden_through_and_through():
    it.known.learn({"A_KEY": "secret-one"})
    data = {
        "msg": "secret-one",
        "rc": 1,
        "cmd": ["x", "--env", "A=secret-one"],
        "deep": [{"a": ("secret-one", None)}],
    }
    assert it.hide_all(data) == {"msg": H, "rc": 1, "cmd": ["x", "--env", f"A={H}"], "deep": [{"a": [H, None]}]}


def test_a_compose_project_tells_of_its_secrets(tmp_path, monkeypatch):
    (tmp_path / "db.txt").write_text("from-a-file\n")
    (tmp_path / ".env").write_text("# x\nexport MAIL_PASSWORD='from dotenv'\nDEBUG=0\nBROKEN\n")
    monkeypatch.setenv("OUTSIDE", "from-outside")
    config = {
        "name": "jobs",
        "services": {
            "web": {
                "environment": {"STRIPE_TOKEN": "from-environment", "NONE_KEY": None, "JWT_KEY": "jobs"},
                "build": {"args": {"NPM_TOKEN": "from-arguments"}},
            },
            "database": {"environment": {"A_PASSWORD": "database"}},
        },
        "secrets": {
            "db": {"file": str(tmp_path / "db.txt")},
            "env": {"environment": "OUTSIDE"},
            "far": {"external": True},
        },
    }
    it.learn_configuration(config, str(tmp_path))
    text = "from-a-file from dotenv from-outside from-environment from-arguments jobs-database-1"
    assert it.hide(text) == f"{H} {H} {H} {H} {H} jobs-database-1"
    it.learn_configuration({}, str(tmp_path / "nosuch"))


SETTINGS = """
SECRET_KEY = "django-insecure-abc"
TOKEN: str = 'typed-token'
API_KEY = os.environ["API_KEY"]
LANGUAGE_CODE = "english-us"
BROKER = "amqp://me:brokerpass@host//"
DATABASES = {
    "default": {
        "USER": "shop-user",
        "PASSWORD": "it's complicated",
    }
}
"""


def test_sources_of_settings_tell_of_theirs(tmp_path):
    for name in ("shop/settings/base.py", "settings_local.py", "node_modules/settings.py", "a/b/c/d/e/settings.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SETTINGS if name.startswith("shop") else f'A_KEY = "of {name}"')
    (tmp_path / "shop/models.py").write_text('KEY = "no-settings"')
    (tmp_path / ".env.production").write_text("HASH_SALT=salt-and-pepper")
    it.learn_settings(str(tmp_path))
    for text in ("django-insecure-abc", "typed-token", "it's complicated", "brokerpass", "salt-and-pepper"):
        assert it.hide(text) == H
    for text in ("english-us", "shop-user", "no-settings", "of node_modules/settings.py", "of a/b/c/d/e/settings.py"):
        assert it.hide(text) == text
    assert it.hide("of settings_local.py") == H


def test_links_in_the_checkout_are_not_read(tmp_path):
    (tmp_path / "outside").write_text('A_KEY = "of another app"')
    site = tmp_path / "site"
    site.mkdir()
    (site / "settings.py").symlink_to(tmp_path / "outside")
    it.learn_settings(str(site))
    assert it.known.secret == set()


def test_it_costs_little(tmp_path):
    it.known.learn({f"KEY_{number}": f"secret-number-{number}" for number in range(200)})
    line = "a line of a log without anything in it\n"

    def cost(lines: int) -> float:
        began = time.process_time()
        assert it.hide(line * lines + "secret-number-7").endswith(H)
        return time.process_time() - began

    # In proportion to the text, not to its square.
    least = min(cost(500) for _again in range(3))
    assert min(cost(4000) for _again in range(3)) < 40 * least + 0.01


def test_what_an_app_may_say_is_read_from_where_it_is(tmp_path):
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "settings.py").write_text('A_KEY = "of the app"')
    it.learn_settings_of({"path": str(tmp_path / "nosuch"), "chdir": None})
    it.learn_settings_of({"path": [str(tmp_path)]})
    assert it.hide("of the app") == "of the app"
    it.learn_settings_of({"path": str(pathlib.Path(tmp_path))})
    assert it.hide("of the app") == H
