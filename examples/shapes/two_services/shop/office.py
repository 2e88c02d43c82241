# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for the people of the shop."""

from django.urls import include, path
from shop.urls import orders

urlpatterns = [path("office/orders", orders), path("", include("shop.urls"))]
