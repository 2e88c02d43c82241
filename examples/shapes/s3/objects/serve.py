# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks S3, with one empty bucket. What is not made public in it, nobody reads without a key."""

import pathlib
import signal

import boto3
from moto.server import ThreadedMotoServer

ThreadedMotoServer(ip_address="0.0.0.0", port=9000, verbose=True).start()  # noqa: S104 - in a container
client = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:9000",
    region_name="us-east-1",
    aws_access_key_id="shop",
    aws_secret_access_key="for-this-test-only",  # noqa: S106 - it keeps no secret
)
client.create_bucket(Bucket="shop")
pathlib.Path("/tmp/ready").touch()  # noqa: S108 - in a container
signal.sigwait({signal.SIGTERM, signal.SIGINT})
