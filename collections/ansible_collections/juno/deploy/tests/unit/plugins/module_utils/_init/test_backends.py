# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases, caches and brokers are known by their images, their programs, or their own variables."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._init import backends


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ({"image": "postgres:17-alpine"}, "PostgreSQL"),
        ({"image": "postgres@sha256:0123"}, "PostgreSQL"),
        ({"image": "docker.io/bitnami/postgresql:16"}, "PostgreSQL"),
        ({"image": "here:5000/our-postgres"}, "PostgreSQL"),
        ({"image": "timescale/timescaledb:latest-pg16"}, "PostgreSQL"),
        ({"image": "mysql:8.4"}, "MySQL"),
        ({"image": "percona/percona-server:8.0"}, "MySQL"),
        ({"image": "mariadb"}, "MariaDB"),
        ({"image": "memcached:1.6-alpine"}, "memcached"),
        ({"image": "redis/redis-stack-server"}, "Redis"),
        ({"image": "valkey/valkey:8"}, "Redis"),
        ({"image": "rabbitmq:4-management"}, "RabbitMQ"),
        ({"image": "here/tools:1", "command": ["memcached", "-m", "64"]}, "memcached"),
        ({"image": "here/tools:1", "command": ["/usr/bin/redis-server", "--save", ""]}, "Redis"),
        ({"build": {"dockerfile_inline": "FROM --platform=linux/amd64 postgis/postgis:17-3.5\n"}}, "PostgreSQL"),
        ({"build": {"context": "/elsewhere"}, "environment": {"PGDATA": "/data"}}, "PostgreSQL"),
        # Those around them are none.
        ({"image": "dpage/pgadmin4"}, ""),
        ({"image": "prodrigestivill/postgres-backup-local"}, ""),
        ({"image": "oliver006/redis_exporter"}, ""),
        ({"image": "rediscommander/redis-commander"}, ""),
        ({"image": "edoburu/pgbouncer"}, ""),
        ({"image": "phpmyadmin"}, ""),
        ({"image": "nginx", "environment": {"POSTGRES_PASSWORD": "x"}}, ""),
        ({}, ""),
    ],
)
def test_what_a_service_is(tmp_path, service, kind):
    assert backends.kind_of(service, str(tmp_path)) == kind
    config = {"services": {"one": service, "site": {"image": "postgres"}}}
    assert backends.find(config, str(tmp_path), ("site",)) == ({kind: ["one"]} if kind else {})
