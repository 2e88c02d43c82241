# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the images of earlier releases are found: from data to data. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import release_override
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ansible_collections.juno.deploy.plugins.module_utils._state import journal


def references(entries: list[journal.Entry]) -> dict[str, str]:
    """Return by id as what images were pulled that weren't built here: REPOSITORY@DIGEST."""
    return {entry.images[name]: one for entry in entries for name, one in entry.pulled.items() if name in entry.images}


@dataclasses.dataclass(frozen=True)
class KeptImages:
    """Where the images of earlier releases are found."""

    config: dict[str, t.Any]
    #: Gives the id of an image by its name, or nothing.
    identify: Callable[[str], str]
    #: The services whose images are the app's own; no other's is touched.
    services: Collection[str]
    #: Those of them whose images aren't built here.
    pulled: Collection[str] = ()
    #: As what these were pulled, by id.
    references: dict[str, str] = dataclasses.field(default_factory=dict)

    def of(self, entry: journal.Entry) -> dict[str, str]:
        """Return the kept image of a release for each of the services.

        :raises BadInputError: one is no longer kept.
        """
        found = {}
        for service, (_used, name) in release_override.release_images(self.config, entry.commit, self.pulled).items():
            recorded = entry.images.get(service, "")
            if service in self.pulled:
                recorded = recorded or entry.task_images.get(service, "")
            if service not in self.services or (service in self.pulled and not recorded):
                continue  # the release had no such service, or it is not the app's
            # Its name may have come to mean another image since: the commit deployed again, another project's build.
            if recorded and self.identify(recorded):
                found[service] = recorded
                continue
            if recorded or not self.identify(name):
                raise self._gone(entry, name, recorded)
            found[service] = name
        return found

    def _gone(self, entry: journal.Entry, name: str, recorded: str) -> BadInputError:
        reference = self.references.get(recorded, "")
        pull = f"bring it back (docker pull {reference}), " if reference else ""
        return BadInputError(
            f"The image {name} of release {entry.number} is no longer here ('record.keep_releases' tells how many are "
            f"kept): {pull}go back to a newer one, or deploy its commit again."
        )
