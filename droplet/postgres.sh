#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# PostgreSQL as the official image starts it: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB; arguments go to the server.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
data=${PGDATA:-/var/lib/postgresql/data}
mkdir -p "$data" /var/run/postgresql
chown postgres "$data" /var/run/postgresql
chmod 700 "$data"
if [ ! -f "$data/ready" ]; then
  secret=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
  chown postgres "$secret"
  as="setpriv --reuid=postgres --regid=postgres --init-groups"
  $as "$bin/initdb" -D "$data" -E UTF8 -A scram-sha-256 --pwfile="$secret" -U "$POSTGRES_USER"
  rm "$secret"
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  PGPASSWORD=$POSTGRES_PASSWORD
  export PGPASSWORD
  $as "$bin/pg_ctl" -D "$data" -w start -o "-c listen_addresses="
  $as "$bin/createdb" -U "$POSTGRES_USER" "$POSTGRES_DB"
  $as "$bin/pg_ctl" -D "$data" -w stop
  touch "$data/ready"
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" -c listen_addresses='*' "$@"
