# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Django app's Python printed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._django.output import (
    cause,
    exec_refusal,
    mask,
    pass_on,
    split_results,
)

MISSING_REFERENCE = """Post-processing 'css/app.css' failed!

Traceback (most recent call last):
  File "/code/manage.py", line 13, in <module>
    execute_from_command_line(sys.argv)
    ~~~~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^
whitenoise.storage.MissingFileError: The file 'css/no.png' could not be found with <whitenoise.storage.X object at 0x7>.

The CSS file 'css/app.css' references a file which could not be found:
  css/no.png

Please check the URL references in this CSS file, particularly any
relative paths which might be pointing to the wrong location.
"""
CHAINED = """Traceback (most recent call last):
  File "/x.py", line 1, in <module>
ImportError: the first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x.py", line 2, in <module>
django.core.exceptions.ImproperlyConfigured: the second.
"""


def test_the_cause_names_the_file_and_its_missing_reference():
    words = cause(MISSING_REFERENCE)
    assert words.startswith(
        "Post-processing 'css/app.css' failed! whitenoise.storage.MissingFileError: The file 'css/no"
    )
    assert "\n" not in words


@pytest.mark.parametrize(
    ("stderr", "stdout", "words"),
    [
        (CHAINED, "", "django.core.exceptions.ImproperlyConfigured: the second"),
        ("CommandError: the server hung up\n", "", "CommandError: the server hung up"),
        (
            "No Django settings specified.\nUnknown command: 'clear'\nType 'manage.py help' for usage.\n",
            "",
            "Unknown command: 'clear' Type 'manage.py help' for usage",
        ),
        (
            "Execution of msgfmt failed: a.po:3: no colon\nCommandError: compilemessages generated errors.\n",
            "",
            "Execution of msgfmt failed: a.po:3: no colon CommandError: compilemessages generated errors",
        ),
        ("something odd\n\n", "out\n", "something odd"),
        ("", "only here.\n", "only here"),
        ("", "", "it printed nothing"),
    ],
    ids=["chained", "command-error", "unknown-command", "msgfmt", "odd", "stdout", "silent"],
)
def test_cause(stderr, stdout, words):
    assert cause(stderr, stdout) == words


def test_results_are_taken_out_of_what_the_app_prints():
    value = {"a": "b c\n"}
    printed = f"hello\ntoken-1 but no value\n\ntoken listing {json.dumps(value)}\ntoken\nbye"
    assert split_results(printed, "token") == ("hello\ntoken-1 but no value\n\ntoken\nbye", {"listing": value})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:pw@host:1/0", "redis://********@host:1/0"),
        ("at 'rediss://me:p@ss@host' and http://x/", "at 'rediss://********@host' and http://x/"),
        ("mail me@example.org", "mail me@example.org"),
    ],
)
def test_passwords_are_masked(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('OCI runtime exec failed: exec: "python": executable file not found in $PATH: unknown', "program"),
        ('exec: "/venv/bin/python": stat /venv/bin/python: no such file or directory: unknown', "program"),
        ('chdir to cwd ("/nope") set in config.json failed: no such file or directory: unknown', "directory"),
        ("Segmentation fault", ""),
    ],
)
def test_why_the_engine_did_not_start_a_program(text, refusal):
    assert exec_refusal(text) == refusal


def test_what_our_code_says_meanwhile_is_told_on(events):
    lines = [
        "the app's own line",
        'juno-t now {"words": "applies jobs.0004_team"}',
        'juno-other now {"words": "another run"}',
        'juno-t looked {"words": "no event"}',
        'juno-t now {"wor',
        "juno-t now [1]",
        "juno-t now",
        'juno-t now {"words": "jobs.0004_team is applied"}',
    ]
    pass_on(lines, "juno-t")
    assert events == ["applies jobs.0004_team", "jobs.0004_team is applied"]
    assert split_results("\n".join(lines[:4]), "juno-t") == (
        "the app's own line\n" + lines[2],
        {"looked": {"words": "no event"}},
    )
