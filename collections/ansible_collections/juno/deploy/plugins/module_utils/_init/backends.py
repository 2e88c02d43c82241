# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other services of a project are: databases, caches, brokers, by their images and programs.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import posixpath
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import image_command, release_override

if t.TYPE_CHECKING:
    from collections.abc import Iterable

POSTGRESQL, MYSQL, MARIADB, MEMCACHED, REDIS, RABBITMQ = (
    *("PostgreSQL", "MySQL", "MariaDB", "memcached", "Redis", "RabbitMQ"),
)
DATABASES = (POSTGRESQL, MYSQL, MARIADB)
#: By the last part of an image's name, which may have something before it: mirror/our-postgres.
_IMAGES = {
    POSTGRESQL: r"postgres(ql)?|postgis|timescaledb(-ha)?|pgvector",
    MYSQL: r"mysql(-server)?|percona(-server)?",
    MARIADB: r"mariadb",
    MEMCACHED: r"memcached",
    REDIS: r"redis(-stack(-server)?)?|valkey|keydb|dragonfly",
    RABBITMQ: r"rabbitmq",
}
_PROGRAMS = {
    POSTGRESQL: ("postgres",),
    MYSQL: ("mysqld",),
    MARIADB: ("mariadbd",),
    MEMCACHED: ("memcached",),
    REDIS: ("redis-server", "valkey-server", "keydb-server", "dragonfly"),
    RABBITMQ: ("rabbitmq-server",),
}
#: Variables that only the server itself has; clients have its address.
_VARIABLES = {"PGDATA": POSTGRESQL, "MYSQL_ROOT_PASSWORD": MYSQL, "MARIADB_ROOT_PASSWORD": MARIADB}


def find(config: dict[str, t.Any], directory: str, apart: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the services by what they run.

    :param apart: those that are known to be something else: the site, its workers, its front proxies.
    """
    found: dict[str, list[str]] = {}
    for name, service in (config.get("services") or {}).items():
        kind = "" if name in apart else kind_of(service, directory)
        if kind:
            found.setdefault(kind, []).append(name)
    return found


def kind_of(service: dict[str, t.Any], directory: str) -> str:
    """Return what a service runs, or nothing."""
    texts = list(image_command.of_service(service, directory))
    programs = {posixpath.basename(text.split()[0].strip("[]\"',")) for text, _where in texts if text.split()}
    for kind, known in _PROGRAMS.items():
        if programs & set(known):
            return kind
    images = [service.get("image") or "", *image_command.base_images(service, directory)]
    for kind, names in _IMAGES.items():
        if any(re.search(rf"(?:^|[-_])(?:{names})$", _last_part(one)) for one in images):
            return kind
    return next((kind for name, kind in _VARIABLES.items() if name in (service.get("environment") or {})), "")


def _last_part(image: str) -> str:
    return release_override.split_image(image.partition("@")[0])[0].rpartition("/")[2].lower()
