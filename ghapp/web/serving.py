"""How gunicorn serves the web door, as its configuration file. It holds no route."""

import os

worker_class = "gthread"
threads = 16
"""Deliveries that arrive together are kept in one transaction (`ghapp.store.group_commit`), so
their number does not depend on how many transactions a second the disk can write."""
workers = int(os.environ.get("WEB_CONCURRENCY") or min(2, os.cpu_count() or 1))
"""On two free cores two processes took more deliveries than one or three (docs/reliability.md)."""
timeout = 30
"""Seconds without a sign of life of a process, after which it is replaced."""
graceful_timeout = 8
"""Seconds that requests have to be answered when asked to stop: less than `ghapp.serve.GRACE`."""
keepalive = 5
limit_request_line = 8190
loglevel = "warning"
accesslog = None
"""Deliveries are in the database; a second list of addresses would only hold more about people."""
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn makes its own unnamed file there
"""Heartbeats in memory: on a slow disk gunicorn would take a waiting worker for a dead one."""
