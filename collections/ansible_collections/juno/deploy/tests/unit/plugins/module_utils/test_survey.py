# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look at what serves, where things are missing."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _app, _journal, _survey
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, EngineError

ENTRIES = [{"number": number, "commit": str(number) * 40, "outcome": "done"} for number in range(1, 5)]


@pytest.fixture
def app(tmp_path):
    """Give an app whose Engine does not answer and whose checkout is none."""
    params = {
        "path": str(tmp_path / "app"),
        "project": "app",
        "service": "web",
        "worker_services": [],
        "compose_files": [],
        "docker_host": f"unix://{tmp_path}/none.sock",
        "state_root": str(tmp_path),
    }
    made = _app.from_params(params)
    _journal.write(made.journal, ENTRIES)
    return made


def test_the_history_is_there_when_nothing_else_is(app):
    found = _survey.survey(run_command, app, _survey.Question(3, 0))
    assert [one["number"] for one in found["releases"]] == [4, 3, 2]
    assert len(found["findings"]) == 2
    assert "Docker" in found["findings"][0]
    assert "not a git checkout" in found["findings"][1]
    assert (found["agrees"], found["containers"], found["checkout"], found["logs"]) == (False, [], {}, [])


def test_logs_that_are_wanted_need_the_engine(app):
    with pytest.raises(EngineError):
        _survey.survey(run_command, app, _survey.Question(3, 1))


@pytest.mark.parametrize("question", [_survey.Question(0, 0), _survey.Question(1, -1)])
def test_senseless_numbers_are_refused(app, question):
    with pytest.raises(BadInputError, match="correct django_app_"):
        _survey.survey(run_command, app, question)


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"one\r\ntwo\n\n", "one\ntwo"), (b"\x1b[31mred\x1b[0m\n", "red"), (b"\xff  \n", "\ufffd")],
)
def test_a_log_is_plain_text(raw, text):
    assert _survey.clean(raw) == text
