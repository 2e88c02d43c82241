#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
until python -c "import socket; socket.create_connection(('$DB_HOST', 5432), 2)" 2>/dev/null; do
  sleep 1
done
if [ "$1" = gunicorn ]; then
  python manage.py migrate --noinput
fi
exec "$@"
