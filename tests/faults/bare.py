"""The least that a webhook route must do, to compare the app's route with: read, check, parse."""

import hashlib
import hmac
import json
import os

from flask import Flask, request


def create_app() -> Flask:
    """Return an application that stores nothing and wakes nobody."""
    secret = os.environ["GITHUB_WEBHOOK_SECRETS"].encode()
    app = Flask(__name__)

    @app.post("/webhooks/github")
    def receive() -> tuple[str, int]:
        body = request.get_data(cache=False)
        wanted = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
        if not hmac.compare_digest(wanted, request.headers.get("X-Hub-Signature-256", "")):
            return "", 401
        json.loads(body)
        return "", 202

    @app.get("/readyz")
    def health() -> tuple[str, int]:
        return "", 200

    return app
