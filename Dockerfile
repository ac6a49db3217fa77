# syntax=docker/dockerfile:1
# The app in one image: web, workers, scheduler and every command. `docker run` without a command is
# `ghapp serve`: everything in one container, with a Valkey and an SQLite database in /data.
#   docker build -t ghapp .
#   docker run -p 8080:8080 -v ghapp-data:/data --read-only --tmpfs /tmp ghapp
FROM python:3.13-slim-bookworm AS packages
COPY requirements.txt /
# Every package is checked by its hash.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements.txt

FROM python:3.13-slim-bookworm
# git reads what GitHub's API does not list; PostgreSQL's client makes backups.
# hadolint ignore=DL3008 - Debian keeps no older version for a pin to find
RUN apt-get update \
    && apt-get install -y --no-install-recommends git postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin ghapp \
    && install -d -o ghapp -g ghapp -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
# The project file says what the wheel that /collector serves is made of.
COPY LICENSE app.yml pyproject.toml /app/
COPY docs/metrics.md docs/no-evidence.md docs/outcomes.md docs/reasons.md docs/rules.md /app/docs/
COPY ghapp /app/ghapp
COPY workers /app/workers
RUN printf '#!/bin/sh\nexec /opt/venv/bin/python -m ghapp "$@"\n' >/usr/local/bin/ghapp \
    && chmod 0755 /usr/local/bin/ghapp \
    && python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    GHAPP_DATA_DIR=/data
USER 10001:10001
WORKDIR /app
VOLUME /data
EXPOSE 8080
# Workers and scheduler open no port; compose.yaml turns this off for them.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ghapp"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
