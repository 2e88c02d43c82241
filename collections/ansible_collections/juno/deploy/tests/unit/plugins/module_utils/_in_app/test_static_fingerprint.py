# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has a collectstatic run again, with a real Django and a real folder."""

from __future__ import annotations

import os
import sys
import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_fingerprint as it
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.django_defaults import defaults

files = pytest.importorskip("django.core.files.storage")
settings = pytest.importorskip("django.conf").settings


class Storage:
    """As much of a storage as is asked for."""


@pytest.fixture(autouse=True)
def default_settings():
    with defaults():
        yield


@pytest.fixture
def source(tmp_path):
    (tmp_path / "a.css").write_text("a")
    (tmp_path / "b.css").write_text("b")
    return tmp_path


def digest(source, storage=None, link=False, names=("a.css", "b.css")):
    place = files.FileSystemStorage(str(source))
    found = {name: (place, name) for name in names}
    return it.digest(found, it.contents(found, {}, 0), storage or Storage(), link)


#: Is far ahead, in seconds.
NOW = 4_000_000_000


@pytest.mark.parametrize(
    ("edit", "since", "read"),
    [
        (lambda path: None, NOW, False),
        (lambda path: None, 0, True),  # it was changed shortly before that, or later
        (lambda path: os.utime(path, (1, 1)), NOW, True),
        (lambda path: path.write_text("other"), NOW, True),
        (lambda path: (path.rename(path.with_name("c")), path.write_text("b"), os.utime(path, (9, 9))), NOW, True),
    ],
)
def test_a_file_is_read_again_when_it_looks_otherwise(source, edit, since, read):
    path = source / "a.css"
    os.utime(path, (9, 9))
    found = {"a.css": (files.FileSystemStorage(str(source)), "a.css")}
    last = {"a.css": f"remembered {it.contents(found, {}, 0)['a.css'].partition(' ')[2]}"}
    edit(path)
    assert (it.contents(found, last, since)["a.css"].partition(" ")[0] != "remembered") is read


def test_a_change_of_the_same_size_and_time_is_seen(source):
    path, found = source / "a.css", {"a.css": (files.FileSystemStorage(str(source)), "a.css")}
    os.utime(path, (9, 9))
    before = it.contents(found, {}, 0)
    path.write_text("b")
    os.utime(path, (9, 9))
    assert it.contents(found, before, path.stat().st_ctime)["a.css"].partition(" ")[0] != before["a.css"].split()[0]


def test_a_time_is_no_difference(source):
    before = digest(source)
    os.utime(source / "a.css", (1, 1))
    assert digest(source) == before


def test_content_names_and_links_are(source):
    seen = [digest(source), digest(source, link=True), digest(source, names=("a.css",))]
    (source / "a.css").write_text("c")
    seen.append(digest(source))
    (source / "a.css").write_text("b")
    (source / "b.css").write_text("a")
    seen.append(digest(source))
    assert len(set(seen)) == len(seen)


def test_settings_are_and_their_places_are_not(source, monkeypatch):
    before = digest(source)
    for name in ("STATIC_ROOT", "STATICFILES_DIRS", "LOGIN_URL"):
        monkeypatch.setattr(settings, name, "/other", raising=False)
        assert digest(source) == before
    monkeypatch.setattr(settings, "WHITENOISE_KEEP_ONLY_HASHED_FILES", True, raising=False)
    assert digest(source) != before


def test_the_code_of_the_storage_is(source, tmp_path, monkeypatch):
    module = types.ModuleType("shop_storage")
    module.__file__ = str(tmp_path / "shop_storage.py")
    (tmp_path / "shop_storage.py").write_text("one")
    monkeypatch.setitem(sys.modules, "shop_storage", module)
    kind = type("Own", (), {"__module__": "shop_storage"})
    before = digest(source, kind())
    assert digest(source, kind()) == before
    (tmp_path / "shop_storage.py").write_text("two")
    assert digest(source, kind()) != before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": {3, 1, 2}}, "{'a':{1,2,3},'b':1}"),
        (("x", ["y"]), "['x',['y']]"),
        (test_a_time_is_no_difference, "<function test_a_time_is_no_difference>"),
    ],
)
def test_a_value_reads_the_same_in_each_process(value, text):
    assert it._stable(value) == text


def own(module, **more):
    return type("Own", (), {"__module__": module, **more})()


@pytest.mark.parametrize(
    ("storage", "command", "words"),
    [
        (own("django.x", post_process=1), own("django.contrib.staticfiles"), ""),
        (own("whitenoise.storage", post_process=1), own("django.x"), ""),
        (own("shop.storage"), own("django.x"), ""),
        (own("shop.storage", post_process=1), own("django.x"), "shop.storage.Own processes files"),
        (own("whitenoise_x", post_process=1), own("django.x"), "whitenoise_x.Own processes files"),
        (own("django.x"), own("collectfast.commands"), "a collectstatic of its own (collectfast.commands)"),
    ],
)
def test_why_a_fingerprint_is_not_enough(storage, command, words):
    why = it.why_unsure(storage, command)
    assert words in why if words else why == ""


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("django.contrib.staticfiles", ""),
        ("collectfast", "a collectstatic of its own (collectfast)"),
        (own("shop.commands"), "(shop.commands)"),
    ],
)
def test_the_command_is_asked_for_where_the_caller_has_none(monkeypatch, owner, words):
    management = pytest.importorskip("django.core.management")
    monkeypatch.setattr(management, "get_commands", lambda: {"collectstatic": owner})
    why = it.why_unsure(own("django.x"), None)
    assert words in why if words else why == ""


def test_watched_files(tmp_path):
    def sum_of(names=("a.css",)):
        live = {path.name: path.stat() for path in tmp_path.iterdir()}
        return it.watched(names, live)

    seen = [sum_of()]
    (tmp_path / "a.css").write_text("a")
    seen.append(sum_of())
    (tmp_path / "a.css.gz").write_text("a")
    seen.append(sum_of())
    os.utime(tmp_path / "a.css", (1, 1))
    seen.append(sum_of())
    assert len(set(seen)) == 4
    (tmp_path / "by-hand.css").write_text("b")
    assert sum_of() == seen[-1]
    assert sum_of(["a.css", "a.css"]) == seen[-1]
