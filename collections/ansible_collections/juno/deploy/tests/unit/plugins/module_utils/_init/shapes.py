# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose projects of many shapes, as C(docker compose config --format json) of 2.26.1 prints them, with their files.

C(TOP) stands for the app's directory.
"""

from __future__ import annotations

START = """FROM docker.io/python:3.13 AS python
COPY --chown=django:django ./compose/production/django/start /start
COPY ./compose/production/django/start-celeryworker /start-celeryworker
ENTRYPOINT ["/entrypoint"]
"""
TRAEFIK = """FROM docker.io/traefik:3.5
COPY ./compose/production/traefik/traefik.yml /etc/traefik
"""
GUNICORN = 'FROM python:3.13\nCOPY . .\nCMD ["gunicorn", "demo.wsgi", "--bind", "0.0.0.0:8000"]\n'
PLAIN = "FROM python:3.13\nCOPY . .\n"
NGINX = "http {{ server {{ listen 80; location / {{ proxy_pass http://{}:8000; }} }} }}"

FILES = {
    "usual": {
        "manage.py": "",
        "Dockerfile": PLAIN,
        "compose.yml": "",
    },
    "another_name": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "nginx": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "nginx.conf": NGINX.format("web"),
        "compose.yml": "",
    },
    "nginx_https": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "nginx.conf": NGINX.format("site"),
        "compose.yml": "",
    },
    "caddy": {
        "manage.py": "",
        "Dockerfile": PLAIN,
        "compose.yml": "",
    },
    "celery": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "postgres": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "two_servers": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "registry": {
        "manage.py": "",
        "compose.yml": "",
    },
    "host_network": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "own_project_name": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
    "in_a_folder": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "docker/compose.yml": "",
    },
    "start_script": {
        "manage.py": "",
        "compose/production/django/Dockerfile": START,
        "compose/production/django/start": "#!/bin/bash\nexec gunicorn config.wsgi --bind 0.0.0.0:5000\n",
        "compose/production/django/start-celeryworker": "#!/bin/bash\nexec celery -A config.celery_app worker\n",
        "compose/production/postgres/Dockerfile": "FROM docker.io/postgres:16\n",
        "compose/production/traefik/Dockerfile": TRAEFIK,
        "compose/production/traefik/traefik.yml": "servers:\n  - url: http://django:5000\n",
        "compose.yml": "",
    },
    "own_worker_image": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "tasks.Dockerfile": PLAIN,
        "compose.yml": "",
    },
    "other_backends": {
        "manage.py": "",
        "Dockerfile": PLAIN,
        "compose.yml": "",
    },
    "no_django": {
        "manage.py": "",
        "compose.yml": "",
    },
    "udp": {
        "manage.py": "",
        "Dockerfile": GUNICORN,
        "compose.yml": "",
    },
}

CONFIGS = {
    "usual": {
        "name": "usual",
        "networks": {"default": {"name": "usual_default", "ipam": {}}},
        "services": {
            "memcached": {
                "command": ["memcached", "-m", "64"],
                "entrypoint": None,
                "image": "memcached:1.6",
                "networks": {"default": None},
            },
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": ["sh", "-c", "python manage.py collectstatic --noinput && gunicorn demo.wsgi"],
                "depends_on": {"memcached": {"condition": "service_started", "required": True}},
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
                "volumes": [
                    {"type": "bind", "source": "TOP", "target": "/code", "bind": {"create_host_path": True}},
                    {"type": "volume", "source": "static", "target": "/code/staticfiles", "volume": {}},
                ],
            },
        },
        "volumes": {"static": {"name": "usual_static"}},
    },
    "another_name": {
        "name": "another_name",
        "networks": {"default": {"name": "another_name_default", "ipam": {}}},
        "services": {
            "app": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "environment": {"SECRET_KEY": "hunter2hunter2"},
                "networks": {"default": None},
                "ports": [
                    {"mode": "ingress", "host_ip": "127.0.0.1", "target": 8000, "published": "8001", "protocol": "tcp"}
                ],
            }
        },
    },
    "nginx": {
        "name": "nginx",
        "networks": {"default": {"name": "nginx_default", "ipam": {}}},
        "services": {
            "nginx": {
                "command": None,
                "depends_on": {"web": {"condition": "service_started", "required": True}},
                "entrypoint": None,
                "image": "nginx:1.28",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 80, "published": "80", "protocol": "tcp"}],
                "volumes": [
                    {
                        "type": "bind",
                        "source": "TOP/nginx.conf",
                        "target": "/etc/nginx/nginx.conf",
                        "read_only": True,
                        "bind": {"create_host_path": True},
                    },
                    {"type": "volume", "source": "static", "target": "/static", "read_only": True, "volume": {}},
                ],
            },
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "expose": ["8000"],
                "networks": {"default": None},
                "volumes": [{"type": "volume", "source": "static", "target": "/code/staticfiles", "volume": {}}],
            },
        },
        "volumes": {"static": {"name": "nginx_static"}},
    },
    "nginx_https": {
        "name": "nginx_https",
        "networks": {"default": {"name": "nginx_https_default", "ipam": {}}},
        "services": {
            "front": {
                "command": None,
                "entrypoint": None,
                "image": "nginx:1.28",
                "networks": {"default": None},
                "ports": [
                    {"mode": "ingress", "target": 80, "published": "80", "protocol": "tcp"},
                    {"mode": "ingress", "target": 443, "published": "443", "protocol": "tcp"},
                ],
                "volumes": [
                    {
                        "type": "bind",
                        "source": "TOP/nginx.conf",
                        "target": "/etc/nginx/nginx.conf",
                        "read_only": True,
                        "bind": {"create_host_path": True},
                    }
                ],
            },
            "site": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
            },
        },
    },
    "caddy": {
        "name": "caddy",
        "networks": {"default": {"name": "caddy_default", "ipam": {}}},
        "services": {
            "caddy": {
                "command": ["caddy", "reverse-proxy", "--from", ":80", "--to", "shop_web:8000"],
                "entrypoint": None,
                "image": "caddy:2",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 80, "published": "8001", "protocol": "tcp"}],
            },
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": ["granian", "--interface", "wsgi", "demo.wsgi"],
                "container_name": "shop_web",
                "entrypoint": None,
                "networks": {"default": None},
            },
        },
    },
    "celery": {
        "name": "celery",
        "networks": {"default": {"name": "celery_default", "ipam": {}}},
        "services": {
            "beat": {
                "command": ["celery", "-A", "demo", "beat"],
                "entrypoint": None,
                "image": "demo",
                "networks": {"default": None},
            },
            "redis": {"command": None, "entrypoint": None, "image": "redis:7-alpine", "networks": {"default": None}},
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "image": "demo",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            },
            "worker": {
                "command": ["celery", "-A", "demo", "worker"],
                "depends_on": {"redis": {"condition": "service_started", "required": True}},
                "entrypoint": None,
                "image": "demo",
                "networks": {"default": None},
            },
        },
    },
    "postgres": {
        "name": "postgres",
        "networks": {"default": {"name": "postgres_default", "ipam": {}}},
        "services": {
            "db": {
                "command": None,
                "entrypoint": None,
                "environment": {"POSTGRES_PASSWORD": "hunter2hunter2"},
                "healthcheck": {"test": ["CMD-SHELL", "pg_isready"]},
                "image": "postgis/postgis:17-3.5",
                "networks": {"default": None},
            },
            "migrate": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": ["python", "manage.py", "migrate"],
                "depends_on": {"db": {"condition": "service_healthy", "required": True}},
                "entrypoint": None,
                "networks": {"default": None},
            },
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "depends_on": {"migrate": {"condition": "service_completed_successfully", "required": True}},
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            },
        },
    },
    "two_servers": {
        "name": "two_servers",
        "networks": {"default": {"name": "two_servers_default", "ipam": {}}},
        "services": {
            "app": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            },
            "ws": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": ["daphne", "-p", "9000", "demo.asgi"],
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 9000, "published": "8002", "protocol": "tcp"}],
            },
        },
    },
    "registry": {
        "name": "registry",
        "networks": {"default": {"name": "registry_default", "ipam": {}}},
        "services": {
            "web": {
                "command": ["uvicorn", "demo.asgi:application", "--port", "8000"],
                "entrypoint": None,
                "image": "registry.example.org/demo:3",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            }
        },
    },
    "host_network": {
        "name": "host_network",
        "services": {
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "network_mode": "host",
            }
        },
    },
    "own_project_name": {
        "name": "shop",
        "networks": {"default": {"name": "shop_default", "ipam": {}}},
        "services": {
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            }
        },
    },
    "in_a_folder": {
        "name": "docker",
        "networks": {"default": {"name": "docker_default", "ipam": {}}},
        "services": {
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
                "volumes": [{"type": "bind", "source": "TOP", "target": "/code", "bind": {"create_host_path": True}}],
            }
        },
    },
    "start_script": {
        "name": "start_script",
        "networks": {"default": {"name": "start_script_default", "ipam": {}}},
        "services": {
            "celeryworker": {
                "build": {"context": "TOP", "dockerfile": "./compose/production/django/Dockerfile"},
                "command": ["/start-celeryworker"],
                "entrypoint": None,
                "networks": {"default": None},
            },
            "django": {
                "build": {"context": "TOP", "dockerfile": "./compose/production/django/Dockerfile"},
                "command": ["/start"],
                "depends_on": {"postgres": {"condition": "service_started", "required": True}},
                "entrypoint": None,
                "networks": {"default": None},
            },
            "postgres": {
                "build": {"context": "TOP", "dockerfile": "./compose/production/postgres/Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
            },
            "traefik": {
                "build": {"context": "TOP", "dockerfile": "./compose/production/traefik/Dockerfile"},
                "command": None,
                "depends_on": {"django": {"condition": "service_started", "required": True}},
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [
                    {"mode": "ingress", "host_ip": "0.0.0.0", "target": 80, "published": "80", "protocol": "tcp"},
                    {"mode": "ingress", "host_ip": "0.0.0.0", "target": 443, "published": "443", "protocol": "tcp"},
                ],
            },
        },
    },
    "own_worker_image": {
        "name": "own_worker_image",
        "networks": {"default": {"name": "own_worker_image_default", "ipam": {}}},
        "services": {
            "tasks": {
                "build": {"context": "TOP", "dockerfile": "tasks.Dockerfile"},
                "command": ["python", "manage.py", "qcluster"],
                "entrypoint": None,
                "networks": {"default": None},
            },
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            },
        },
    },
    "other_backends": {
        "name": "other_backends",
        "networks": {"default": {"name": "other_backends_default", "ipam": {}}},
        "services": {
            "backend": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": ["python", "manage.py", "runserver", "0.0.0.0:8000"],
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            },
            "broker": {
                "command": None,
                "entrypoint": None,
                "image": "rabbitmq:4-management",
                "networks": {"default": None},
            },
            "cache": {
                "command": None,
                "entrypoint": None,
                "image": "bitnami/memcached:1",
                "networks": {"default": None},
            },
            "database": {"command": None, "entrypoint": None, "image": "mariadb:11", "networks": {"default": None}},
            "mail": {"command": None, "entrypoint": None, "image": "axllent/mailpit", "networks": {"default": None}},
            "sessions": {
                "command": None,
                "entrypoint": None,
                "image": "valkey/valkey:8",
                "networks": {"default": None},
            },
        },
    },
    "no_django": {
        "name": "no_django",
        "networks": {"default": {"name": "no_django_default", "ipam": {}}},
        "services": {
            "blog": {
                "command": None,
                "entrypoint": None,
                "image": "ghost:5",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "target": 2368, "published": "8001", "protocol": "tcp"}],
            },
            "db": {"command": None, "entrypoint": None, "image": "mysql:8", "networks": {"default": None}},
        },
    },
    "udp": {
        "name": "udp",
        "networks": {"default": {"name": "udp_default", "ipam": {}}},
        "services": {
            "web": {
                "build": {"context": "TOP", "dockerfile": "Dockerfile"},
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "ports": [
                    {"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"},
                    {"mode": "ingress", "target": 53, "published": "5353", "protocol": "udp"},
                ],
            }
        },
    },
}
