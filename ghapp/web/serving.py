"""The configuration file of gunicorn, which serves the web application.

https://docs.gunicorn.org/en/stable/settings.html
"""

import os
import resource

worker_class = "ghapp.web.whole_requests.WholeRequestWorker"
threads = 16
"""For deliveries, and as many for all else. `ghapp.store.group_commit` stores deliveries that come
together in one transaction, so the disk's transactions per second do not limit them."""
worker_connections = 2_000
"""Open connections of one process; above, the oldest unfinished one is dropped for a new one."""
umask = 0o077
"""What the app writes is for its owner only."""
workers = int(os.environ.get("WEB_CONCURRENCY") or min(2, os.cpu_count() or 1))
"""On two free cores, two processes took more deliveries than one or three (docs/reliability.md)."""
timeout = 30
"""Seconds without a heartbeat after which gunicorn replaces a process."""
graceful_timeout = 8
"""Seconds to finish open requests on shutdown; less than `ghapp.serve.programs.GRACE`."""
keepalive = 5
"""Seconds that an idle connection stays open."""
limit_request_line = 8190
"""Bytes."""
sendfile = False
"""So that every answer goes through the worker's own time limit."""
loglevel = "warning"
accesslog = None
"""The database lists deliveries; an access log would only add personal data."""
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn makes its own unnamed file there
"""Heartbeats in memory: on a slow disk, gunicorn could mistake a waiting worker for a dead one.

https://docs.gunicorn.org/en/stable/faq.html#how-do-i-avoid-gunicorn-excessively-blocking-in-os-fchmod
"""


def _open_more_files() -> None:
    """Raise the limit of open files as far as the system lets us: each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 16_384 if hard == resource.RLIM_INFINITY else min(16_384, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


_open_more_files()
worker_connections = min(worker_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
