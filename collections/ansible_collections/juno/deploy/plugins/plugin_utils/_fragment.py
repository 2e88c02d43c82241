# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doc fragments of options that one module has as they are, and another one in a group. Private to juno.deploy."""

from __future__ import annotations

import re
import textwrap


def group(name: str, about: str, *fragments: str) -> str:
    """Return a doc fragment in which the options of others are those of a group.

    There they name each other with the group, and are as old as it.
    """
    text = "".join(textwrap.dedent(one.lstrip().removeprefix("options:\n")) for one in fragments)
    names = "|".join(re.findall(r"^(\w+):", text, re.MULTILINE))
    text = re.sub(rf"\bO\(({names})\b", rf"O({name}.\1", text)
    text = re.sub(r"^  version_added: .*\n", "", text, flags=re.MULTILINE)
    head = f"options:\n  {name}:\n    description:\n      - {about}\n    type: dict\n    suboptions:\n"
    return head + textwrap.indent(text, "      ")
