# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the soak: its rows name tasks that there are, and it tells what was seen."""

from __future__ import annotations

import re

import pytest

from tools import soak_rows, steps


@pytest.mark.parametrize("row", soak_rows.ROWS, ids=[f"{one[1]}: {one[2]}" for one in soak_rows.ROWS])
def test_each_row_names_a_task_that_its_scenario_has(row):
    _what, scenario, task = row
    texts = [file.read_text(encoding="utf-8") for file in (steps.ROOT / "molecule" / scenario).rglob("*.yml")]
    assert any(re.search(rf"name: {re.escape(task)}", text) for text in texts)
    # Ansible prints no line for a task that is imported, so that the table could never see it.
    assert not any(re.search(rf"name: {re.escape(task)}.*\n *ansible\.builtin\.import_tasks", text) for text in texts)


def test_the_shapes_are_those_there_are():
    folders = {one.name for one in (steps.ROOT / "examples" / "shapes").iterdir() if one.is_dir()}
    assert folders == {"common", *soak_rows.SHAPE_TRAITS}
    readme = (steps.ROOT / "examples" / "shapes" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{one}/`" in readme for one in folders)


def test_each_step_of_a_shape_is_a_task():
    text = "".join(one.read_text(encoding="utf-8") for one in (steps.ROOT / "molecule" / "shapes").rglob("*.yml"))
    every = [*soak_rows.SHAPE_STEPS, *soak_rows.SHAPE_REFUSED]
    assert all(f"name: {task.format('{{ shape }}')}\n" in text for _what, task in every)


def test_a_shape_has_the_steps_that_fit_it():
    names = {one: [what for what, _task in soak_rows.shape_steps(one)] for one in soak_rows.SHAPE_TRAITS}
    assert "as after a reboot" in names["nginx"]
    assert all("first deploy" in one or one == ["refused, and why"] for one in names.values())
    assert all(("migration" in names[one]) == bool(t.get("database")) for one, t in soak_rows.SHAPE_TRAITS.items())


@pytest.mark.parametrize(
    ("log", "passed", "result"),
    [
        ("TASK [See what is applied] ***\nok\n", ["soak:x"], "as it must be"),
        ("TASK [See what is applied] ***\nok\n", [], "FAILED"),
        ("TASK [Deploy] ***\nSee what is applied\n", ["soak:x"], "NOT SEEN"),
        (None, ["soak:x"], "NOT SEEN"),
    ],
)
def test_what_was_seen(tmp_path, monkeypatch, log, passed, result):
    monkeypatch.setattr(soak_rows, "ROWS", (("what", "x", "See what is applied"),))
    if log is not None:
        (tmp_path / "soak-x.log").write_text(log, encoding="utf-8")
    assert soak_rows.table(tmp_path, passed)[-1] == f"what | x | {result}"


LOG = """ok: [droplet] =>
    msg: |-
        code that can't be imported: {"requests": 486, "failures": 0, "causes": {}, "old": 0, "marks": {"wrong": 3.29}, "gap_seconds": 2.06, "editions": {"a": {"2": 112}}}
        killed: Switch (quick_deploy): {"requests": 5, "failures": 1, "causes": {"502": 1}, "old": 0, "marks": {"wrong": 1}, "gap_seconds": 9, "editions": {"a": {"2": 1}}}
"""  # noqa: E501 - as it is printed


def test_verdicts_of_faults():
    assert soak_rows.verdicts(LOG) == [
        ("code that can't be imported", "0 of 486 failed, 0 old, longest gap 2.06 s"),
        ("killed: Switch (quick_deploy)", "1 of 5 failed, 0 old, longest gap 9 s"),
    ]
    assert soak_rows.verdicts("") == []
