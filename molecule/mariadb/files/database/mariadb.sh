#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# MariaDB as the official image starts it: MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE.
set -eu
mkdir -p /run/mysqld
chown mysql:mysql /run/mysqld /var/lib/mysql
if [ ! -d /var/lib/mysql/mysql ]; then
  mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null
  {
    echo "CREATE DATABASE $MYSQL_DATABASE CHARACTER SET utf8mb4;"
    echo "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';"
    echo "GRANT ALL ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%';"
    echo "GRANT PROCESS ON *.* TO '$MYSQL_USER'@'%';"
  } >/var/lib/mysql/first.sql
  chown mysql:mysql /var/lib/mysql/first.sql
  exec mariadbd --user=mysql --bind-address=0.0.0.0 --init-file=/var/lib/mysql/first.sql
fi
exec mariadbd --user=mysql --bind-address=0.0.0.0
