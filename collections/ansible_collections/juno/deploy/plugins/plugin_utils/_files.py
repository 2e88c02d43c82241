# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send the folder that is to be deployed, as far as the host does not have it. Private to juno.deploy."""

from __future__ import annotations

import base64
import tempfile
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Result = dict[str, t.Any]

#: One call of the module takes so much.
PART_BYTES = 4_000_000
#: Beyond this it is said how far it has come.
SAY_SECONDS = 3.0
#: What a checkout has is asked for, and how it is reached.
_OF_THE_APP = tuple(options.APP)


class FailedError(Exception):
    """The host could not take the files; C(result) is what its module said."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result.get("msg")))
        self.result = result


def require_alone(args: Mapping[str, t.Any]) -> None:
    """Refuse a folder and a git server at once.

    :raises BadInputError: both are set.
    """
    for name in ("remote", "branch"):
        default = options.default(options.PLAN, name)
        if args.get(name, default) not in ("", default):
            raise BadInputError(
                f"'files' and '{name}' are both set, and only one can tell what is deployed: set 'files' alone to "
                f"deploy a folder of this machine, or '{name}' to deploy from a git server. Nothing was changed."
            )


def send(
    args: Mapping[str, t.Any], places: list[str], call: Callable[[Result], Result], say: Callable[[str], None]
) -> str:
    """Send what is missing of the folder in C(files); return the id of its commit.

    :param call: calls the module C(release_files).
    :param say: is given how far it has come.
    :raises BadInputError: there is no such folder, or it can't be sent.
    :raises FailedError: the host could not take it.
    """
    require_alone(args)
    folder = _folder.look(_folder.find(str(args["files"]), places))
    common = {name: args[name] for name in _OF_THE_APP if name in args} | {"commit": folder.commit_id}
    asked = _succeeded(call({**common, "ids": "".join(folder.ids)}))
    wanted = [folder.ids[number] for number in asked["missing"]]
    if wanted:
        with tempfile.TemporaryFile() as pack:
            folder.pack(wanted, pack)
            _send_parts(pack, common, call, say)
    return folder.commit_id


def _send_parts(pack: t.BinaryIO, common: Result, call: Callable[[Result], Result], say: Callable[[str], None]) -> None:
    size, began = pack.tell(), time.monotonic()
    for offset in range(0, size, PART_BYTES):
        if time.monotonic() - began > SAY_SECONDS:
            say(f"sends the files: {_folder.amount(offset)} of {_folder.amount(size)}")
        pack.seek(offset)
        part = base64.b64encode(pack.read(PART_BYTES)).decode()
        _succeeded(call({**common, "part": part, "offset": offset, "size": size}))


def _succeeded(result: Result) -> Result:
    if result.get("failed") or result.get("unreachable"):
        raise FailedError(result)
    return result
