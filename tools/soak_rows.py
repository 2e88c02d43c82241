# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "make soak" shows to be so: the table at its end.

A row says what, in which scenario, and by which task there; it was seen when that task is in the scenario's log and the
scenario passed. After each of them status.yml and verify.yml were asked (molecule/shared/tasks/agree.yml) where
anything serves. The faults are rows of their own, by the verdicts that their scenario prints, and so are the variants
of the matrix, by the table that it prints.
"""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import yaml

from tools.matrix import report

ROWS = (
    # Data
    ("a file database gets its copy back after a lossy migration", "migrations", "See that all values are there"),
    ("on a server a lossy migration stands, and code that can live with it serves", "migrations", "Mend the page"),
    (
        "a migration behind a lock times out, and names who holds it",
        "migrations",
        "See that nothing waits in the server any more",
    ),
    (
        "a killed run's long migration is ended first",
        "migrations",
        "See that the deploy that was killed came to nothing",
    ),
    ("the entry point of an image runs in no throwaway container", "migrations", "Migrate, and go back"),
    ("a dump before migrations, restored as documented", "backups", "See that it is all"),
    ("a dump that can't be had stops the deploy", "backups", "See that nothing was migrated"),
    ("MariaDB: a dump, and back from it", "mariadb", "See that the dump has all of it"),
    ("MariaDB: a migration behind a lock times out", "mariadb", "See that nothing waits"),
    (
        "MariaDB: a lossy migration stands, and code that can live with it serves",
        "mariadb",
        "See that its pages are there",
    ),
    (
        "an anonymous volume goes on to the next container, also in an undo",
        "volumes",
        "Look into the container once more",
    ),
    ("a rollback takes the recorded image, not a name", "volumes", "See that the release's own image runs"),
    ("a rollback leaves the database unless asked", "rollback", "See the column still"),
    # Others
    ("another site's containers never answer", "ports", "See that it is as it must be"),
    ("links, hooks and forged files of a container do no harm", "hostile", "See that all is still well"),
    ("secrets are in no message and in no file", "hostile", "See that neither is kept"),
    ("other services are replaced only where asked", "other_services", "See which are the same"),
    (
        "the first deploy starts what the site depends on",
        "other_services",
        "See that the first deploy has started all of them",
    ),
    # Done
    ("nginx before an app that publishes a port itself", "other_services", "See that the proxy is another one now"),
    ("a broken front proxy is refused, and hinders no later deploy", "other_services", "Deploy what mends it"),
    (
        "workers lose no task, and never two schedulers",
        "workers",
        "See that no task was lost, and that there never were two schedulers",
    ),
    ("a worker that dies is not done", "workers", "Let the old worker do a task"),
    ("a page that the verification refuses is refused before visitors come", "workers", "Deploy with a new container"),
    ("code in a named volume is not done", "layouts", "See that old code is no release"),
    ("COMPOSE_FILE in .env is honoured", "layouts", "See how it is said"),
    (
        "a compose file in a folder, with build: ..",
        "layouts",
        "See that docker compose finds them as it would have made them",
    ),
    (
        "each .env counts where COMPOSE_FILE names a folder's file",
        "layouts",
        "See that each .env counts as docker compose counts it",
    ),
    ("a mounted subfolder with .dockerignore", "layouts", "See that all agree on the template"),
    ("a build shows the lines that failed it", "layouts", "See the linter's words"),
    ("ports that are not HTTP", "ports", "Hear that its port no longer answers"),
    ("the proxy's configuration and its image change", "ports", "Replace the proxy, and say the gap"),
    ("a slow site is not hurt by the probe", "layouts", "See that all agree on a slow site"),
    ("uWSGI without die-on-term", "layouts", "See that all agree on uWSGI"),
    (
        "no old page between recreate's old and new container",
        "freshness",
        "See that after a deploy nobody got an older page",
    ),
    ("static files that only the image holds", "volumes", "See that a page of it finds its script"),
    (
        "a reboot in the middle gives back what was verified, also where the code is mounted",
        "reboot",
        "See that all agree on it",
    ),
    ("a site that another project's generator made (Wagtail)", "wagtail", "See that all agree"),
    ("one commit of each kind does what it needs, and no more", "plan", "See both sides of a rename, and the merge"),
    ("clear_cache, then rollback", "clear_cache", "Go back to a release after its cache was cleared"),
    ("hosts take turns where one is without an answer", "fleet", "See that nobody was turned away"),
    (
        "another image under the same name in a registry is deployed; the old one is gone back to",
        "registry",
        "See that those of two releases are left",
    ),
    ("a registry that does not answer changes nothing", "registry", "Hear that nothing was changed"),
    ("a folder without a git repository: deployed, undone, gone back to", "files", "Hear that all agree at the end"),
    ("a person's own file where a folder's is to be stays", "files", "Take it over"),
    ("one host of two fails: both go back, and say why", "fleet", "See the last message of each host"),
    ("bad input gets one sentence", "refusals", "See that none was touched"),
    (
        "published ports that are taken, fixed addresses, host network",
        "layouts",
        "See each refused before anything is built",
    ),
)
#: The sites of examples/shapes, and what is done with each: in the words of molecule/shapes.
SHAPE_TRAITS = {
    one.stem: yaml.safe_load(one.read_text(encoding="utf-8"))
    for one in sorted((pathlib.Path(__file__).parent.parent / "molecule" / "shapes" / "vars").glob("*.yml"))
}
SHAPE_STEPS = (
    ("a first deploy that is undone", "Undo a first deploy of {}"),
    ("first deploy", "For the first time, deploy {}"),
    ("template, under visitors", "Under visitors, deploy {}"),
    ("status and verification", "See that all agree on {}"),
    ("broken commit", "Refuse the broken commit of {}"),
    ("style sheet", "Deploy the colours of {}"),
    ("dependency", "Deploy a further dependency of {}"),
    ("variable", "Deploy a further variable of {}"),
    ("migration", "Migrate {}"),
    ("broken front proxy", "Refuse a broken front proxy of {}"),
    ("front proxy's configuration", "Deploy the front proxy's configuration of {}"),
    ("rollback", "Roll back {}"),
    ("a second rollback", "Once more, roll back {}"),
    ("clear_cache", "Clear the caches of {}"),
    ("a container of no service", "See what is left of a service in {}"),
    ("maintenance page", "Show the maintenance page of {}"),
    ("as after a reboot", "After a reboot, deploy {}"),
)
#: Those that a trait of its name asks for.
_ASKED_FOR = {
    "variable": "variable",
    "a second rollback": "rollback",
    "a container of no service": "left_over",
    "maintenance page": "maintenance",
}
#: The only one of a shape that can't be deployed: it is told why.
SHAPE_REFUSED = (("refused, and why", "Refuse {}"),)
#: What Ansible prints before the first of them.
_MESSAGE = re.compile(r"^.*\bmsg: (?:\|-)?")
_VERDICT = re.compile(r"([^\"\n{}]+): (\{\"requests\": .*?\"editions\": \{.*?\}\}\})")


def table(logs: pathlib.Path, passed: t.Collection[str]) -> list[str]:
    """Return the table's lines.

    :param logs: the folder with the steps' logs.
    :param passed: the names of the steps that passed.
    """
    lines = ["what | seen in | result", "--- | --- | ---"]
    shapes = [(f"{one}: {what}", "shapes", task.format(one)) for one in SHAPE_TRAITS for what, task in shape_steps(one)]
    for what, scenario, task in (*shapes, *ROWS):
        lines.append(f"{what} | {scenario} | {_result(logs, passed, scenario, task)}")
    lines += [f"{what} | faults | {met}" for what, met in verdicts(_read(logs, "soak-faults"))]
    lines += [f"{what} | matrix | {met}" for what, met in report.rows_of(_read(logs, "soak-matrix"))]
    return lines


def shape_steps(shape: str) -> list[tuple[str, str]]:
    """Return what is done with a shape: (what, task)."""
    traits = SHAPE_TRAITS[shape]
    if "refused" in traits:
        return list(SHAPE_REFUSED)
    led = "front" in traits and traits.get("led", True)
    config = [] if traits.get("front_config") else ["broken front proxy", "front proxy's configuration"]
    unfit = {*config, *([] if traits.get("database") else ["migration"]), *([] if led else ["as after a reboot"])}
    unfit |= {what for what, trait in _ASKED_FOR.items() if trait not in traits}
    return [one for one in SHAPE_STEPS if one[0] not in unfit]


def _read(logs: pathlib.Path, name: str) -> str:
    log = logs / f"{name}.log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _result(logs: pathlib.Path, passed: t.Collection[str], scenario: str, task: str) -> str:
    text = _read(logs, f"soak-{scenario}")
    if not re.search(rf"^(?:TASK|PLAY) \[{re.escape(task)}", text, re.MULTILINE):
        return "NOT SEEN"
    return "as it must be" if f"soak:{scenario}" in passed else "FAILED"


def verdicts(text: str) -> list[tuple[str, str]]:
    """Read from the log of the scenario faults what visitors met in each of them."""
    unwrapped = re.sub(r"\s+", " ", text.replace('\\"', '"'))
    found = []
    for name, raw in _VERDICT.findall(unwrapped):
        seen: dict[str, t.Any] = json.loads(raw)
        met = f"{seen['failures']} of {seen['requests']} failed, {seen['old']} old, longest gap {seen['gap_seconds']} s"
        found.append((_MESSAGE.sub("", name).strip(" '-").replace("''", "'"), met))
    return found
