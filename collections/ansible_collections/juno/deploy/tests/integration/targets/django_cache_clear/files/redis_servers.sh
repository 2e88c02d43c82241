#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# redis_servers.sh FOLDER FIRST REPLICA STRANGER SENTINEL NODE NODE NODE: a replica of FIRST, a server that follows nobody, a
# Sentinel that knows FIRST as "shop", and a cluster. Their process ids are in FOLDER.
set -eu
folder=$1 first=$2 replica=$3 stranger=$4 sentinel=$5
shift 5

start() {
  name=$1 port=$2
  shift 2
  mkdir -p "$folder/$name"
  redis-server --port "$port" --bind 127.0.0.1 --save "" --dir "$folder/$name" --daemonize yes --pidfile "$folder/$name.pid" "$@"
}

start replica "$replica" --requirepass s3cretpw --masterauth s3cretpw --replicaof 127.0.0.1 "$first"
start stranger "$stranger" --requirepass s3cretpw
cat > "$folder/sentinel.conf" << END
port $sentinel
bind 127.0.0.1
daemonize yes
pidfile $folder/sentinel.pid
sentinel monitor shop 127.0.0.1 $first 1
sentinel auth-pass shop s3cretpw
sentinel down-after-milliseconds shop 60000
END
redis-server "$folder/sentinel.conf" --sentinel
nodes=
for port in "$@"; do
  # The bus between them is elsewhere than 10000 ports further up.
  start "node$port" "$port" --cluster-enabled yes --cluster-port "$((port > 55000 ? port - 10000 : port + 10000))"
  nodes="$nodes 127.0.0.1:$port"
done
sleep 1
# shellcheck disable=SC2086
redis-cli --cluster create $nodes --cluster-yes
sleep 2
