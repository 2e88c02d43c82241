# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is processed, why it would be all, and what is held back; with real storages and finders."""

from __future__ import annotations

import sys
import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_incremental as it
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import django_defaults

storages = pytest.importorskip("django.contrib.staticfiles.storage")
files = pytest.importorskip("django.core.files.storage")


#: The fixture.
static_settings = django_defaults.static_settings
own = django_defaults.of_the_app


def test_the_manifests_order_is_djangos():
    assert it.in_order(["a", "x/b", "c", "x/y/d", "x/e"]) == ["x/y/d", "x/b", "x/e", "a", "c"]


CONTENTS = {name: f"{name} looks" for name in ("a.css", "b.css", "c.png", "d.png", "e.png", "f.png")}
LAST = {"contents": CONTENTS, "references": {"a.css": ["b.css"], "b.css": ["c.png"]}, "doubt": ""}
PATHS = {name: f"{name}.1" for name in CONTENTS}


def incremental(contents, storage=None, last=None):
    found = {name: (files.FileSystemStorage("/nowhere"), name) for name in contents}
    storage = storage or storages.ManifestStaticFilesStorage()
    return it.Incremental(storage, found, contents, PATHS, {**LAST, **(last or {})})


@pytest.mark.parametrize(
    ("contents", "affected"),
    [
        (CONTENTS, set()),
        ({**CONTENTS, "d.png": "d.png otherwise"}, set()),
        ({**CONTENTS, "d.png": "new looks"}, {"d.png"}),
        ({**CONTENTS, "c.png": "new looks"}, {"a.css", "b.css", "c.png"}),
        ({**CONTENTS, "a.css": "new looks"}, {"a.css"}),
        ({**CONTENTS, "g.css": "new looks"}, {"g.css"}),
        ({name: one for name, one in CONTENTS.items() if name != "c.png"}, {"a.css", "b.css"}),
    ],
)
def test_what_is_processed(contents, affected):
    made = incremental(contents)
    assert (made.affected, made.why) == (affected, "")
    assert set(made.carried) == set(contents) & set(PATHS) - affected


def test_where_intermediate_files_are_kept_what_is_named_is_too():
    storage = own(storages.ManifestStaticFilesStorage, keep_intermediate_files=True)
    assert incremental({**CONTENTS, "a.css": "new looks"}, storage).affected == {"a.css", "b.css", "c.png"}


@pytest.mark.parametrize(
    ("last", "contents", "why"),
    [
        ({"references": None}, CONTENTS, "what the files name is not remembered"),
        ({"doubt": "a.css names x"}, CONTENTS, "a.css names x"),
        ({"contents": {}}, CONTENTS, "6 of 6 files are to be processed"),
        ({}, {**CONTENTS, "a.css.gz": "new looks"}, "a.css.gz is a source, and the compressed file of another one"),
    ],
)
def test_why_all_are(last, contents, why):
    assert incremental(contents, last=last).why == why


class Command:
    """As much of a command as is asked for."""

    def __init__(self):
        self.copied_files, self.stdout = [], types.SimpleNamespace(_out=sys.stdout)


def test_what_goes_well_is_printed_afterwards(capsys):
    command = Command()
    with it.held_back(command):
        command.stdout._out.write("one ")
        sys.stdout.write("two")
        sys.stderr.write("wrong")
        assert capsys.readouterr().out == ""
    assert capsys.readouterr() == ("one two", "wrong")
    assert command.stdout._out is sys.stdout
    with it.held_back(None):
        sys.stdout.write("three")
    assert capsys.readouterr().out == "three"


def test_what_does_not_leaves_no_trace(capsys):
    command = Command()

    def fail():
        with it.held_back(command):
            command.copied_files.append("a.css")
            sys.stderr.write("one")
            raise SystemExit(1)

    with pytest.raises(SystemExit):
        fail()
    assert capsys.readouterr() == ("", "")
    assert command.copied_files == []
    assert command.stdout._out is sys.stdout
