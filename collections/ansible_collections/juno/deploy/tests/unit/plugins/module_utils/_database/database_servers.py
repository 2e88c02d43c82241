# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to database servers, as an app tells them."""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils._database.database_connection import Connection

PASSWORD = "it's@secret"
POSTGRES = Connection(
    vendor="postgresql",
    name="site",
    user="app",
    password=PASSWORD,
    host="db",
    port="5433",
    address="172.18.0.3",
    version="17.2 (Debian 17.2-1)",
)
MYSQL = dataclasses.replace(POSTGRES, vendor="mysql", port="3306", version="11.8.3-MariaDB")
