# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a site whose static files are in a bucket, and whose pages name them below /files/."""

import os

from shop.settings import *  # noqa: F403
from shop.settings import MIDDLEWARE, STORAGES

MIDDLEWARE = [one for one in MIDDLEWARE if "whitenoise" not in one]
STORAGES = {
    **STORAGES,
    "staticfiles": {
        "BACKEND": "storages.backends.s3.S3ManifestStaticStorage",
        "OPTIONS": {
            "bucket_name": "shop",
            "region_name": "us-east-1",
            "endpoint_url": os.environ["AWS_S3_ENDPOINT_URL"],
            "custom_domain": "shop.example.org/files",
            "url_protocol": "http:",
            "default_acl": "public-read",
        },
    },
}
