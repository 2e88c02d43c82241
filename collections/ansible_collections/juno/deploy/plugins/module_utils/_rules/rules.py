# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a changed file is to a site, and the steps that follow. Private to juno.deploy.

A pattern without a slash is one for the file's own name, wherever it lies; one with a slash, also at its beginning, is
for the whole path from the top of the checkout. C(*) and C(?) stay within a folder, C(**/) is any number of folders,
C(/**) all that lies below. The first rule that fits decides. A file that none fits gets every step: nobody knows what
reads it.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules.file_kinds import DEFAULTS, KINDS, STEPS, UNKNOWN

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Kinds that are told by a folder's name, which may be that of an app too.
_BY_NAME = ("test", "documentation", "development")
_NAMES = {"tests", "testing", "docs", "doc"}


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where a release's effective settings find its parts, as paths from the top of the checkout."""

    apps: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    static: tuple[str, ...] = ()


def read_layout(raw: dict[str, t.Any] | None) -> Layout:
    """Read a layout as the journal keeps it; an empty one where it keeps none."""
    known = {field.name for field in dataclasses.fields(Layout)}
    return Layout(**{name: tuple(value) for name, value in (raw or {}).items() if name in known})


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a file is, and what a change of it needs."""

    kind: str
    steps: tuple[str, ...]


def translate(pattern: str) -> str:
    """Return a pattern as a regular expression for the whole path.

    :raises BadInputError: it is none.
    """
    if not pattern.strip("/") or "\\" in pattern:
        raise BadInputError(
            f"'{pattern}' is no pattern for files: give one from the top of the checkout, such as 'data/**', "
            "or one for a file's own name, such as '*.json'."
        )
    text = pattern.lstrip("/") if "/" in pattern else "**/" + pattern
    below = text.endswith("/**")
    parts = re.findall(r"\*\*/|\*|\?|[^*?]+", text[:-2] if below else text)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(part) or re.escape(part) for part in parts) + (".+" if below else "")


class Rules:
    """The rules of one app: the user's, what its settings say, and the defaults."""

    def __init__(self, own: Iterable[tuple[str, tuple[str, ...]]] = (), layout: Layout | None = None) -> None:
        layout = layout or Layout()
        mine = [(translate(pattern), Verdict(f"as {pattern} in the rules", steps)) for pattern, steps in own]
        self._own = len(mine)
        folders_of_settings = [
            (re.escape(folder) + "/.*", Verdict(kind, KINDS[kind]))
            for kind, folders in (("template", layout.templates), ("static file", layout.static))
            for folder in folders
            if folder
        ]
        rest = [(translate(one), Verdict(kind, KINDS[kind])) for kind, patterns in DEFAULTS for one in patterns]
        # What goes into the image and is built comes before the settings' folders: its patterns are the closer ones.
        closer = [row for row in rest if row[1].kind in ("unknown", "image", "front-end source")]
        rows = [*mine, *closer, *folders_of_settings, *rest]
        self._verdicts = [verdict for _text, verdict in rows]
        self._pattern = re.compile("|".join(f"({text})\\Z" for text, _verdict in rows), re.DOTALL)
        self._odd_apps = tuple(app + "/" for app in layout.apps if _NAMES.intersection(app.split("/")))

    def verdict(self, path: str) -> Verdict:
        """Return what a file is."""
        found = self._pattern.match(path)
        if found is None or found.lastindex is None:
            return Verdict(UNKNOWN, KINDS[UNKNOWN])
        verdict = self._verdicts[found.lastindex - 1]
        if found.lastindex > self._own and verdict.kind in _BY_NAME and path.startswith(self._odd_apps):
            kind = "code" if path.endswith(".py") else UNKNOWN
            return Verdict(kind, KINDS[kind])
        return verdict


def read_own(given: Sequence[dict[str, t.Any]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read the rules of a user: C(files), a pattern, and C(steps), those that a change needs.

    :raises BadInputError: a rule is none.
    """
    rules = []
    for rule in given:
        unknown = set(rule) - {"files", "steps"}
        if unknown or not isinstance(rule.get("files"), str) or not isinstance(rule.get("steps"), list):
            raise BadInputError(
                f"A rule for the plan has 'files', a pattern, and 'steps', a list (or an empty one), not {rule}: "
                "correct 'rules'."
            )
        wrong = [step for step in rule["steps"] if step not in STEPS]
        if wrong:
            raise BadInputError(f"'{wrong[0]}' is no step of a deploy: 'rules' takes {', '.join(STEPS)}.")
        translate(rule["files"])
        rules.append((rule["files"], tuple(rule["steps"])))
    return tuple(rules)
