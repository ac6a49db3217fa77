"""The webhook route: check a delivery's signature, store it, wake the queue, answer 202.

If Redis is away, the delivery is stored all the same; the scheduler finds its work later.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import structlog
from flask import Blueprint, Response, jsonify, request

from ghapp.events.intake import EventIntake
from ghapp.github.webhooks import BadSignature, WebhookError, WebhookEvent
from ghapp.log import bound
from ghapp.store import StoreError
from ghapp.web.current import services
from ghapp.web.errors import problem
from ghapp.web.limits import count_wrong_signature

log = structlog.get_logger()


webhook = Blueprint("webhook", __name__)


@webhook.post("/webhooks/github", strict_slashes=False)
def receive() -> Response:
    """Accept a delivery."""
    # GitHub signs the raw bytes, so read them before anything parses them.
    body = request.get_data(cache=False)
    try:
        event = WebhookEvent.from_http(
            dict(request.headers),
            body,
            secrets=services.webhook_secrets,
            app_id=services.app_id,
        )
    except WebhookError as error:
        if isinstance(error, BadSignature):
            count_wrong_signature()
        log.warning("delivery_refused", status=error.status, problem=str(error))
        return problem(error.status, str(error))
    with bound(delivery=event.delivery):
        return _keep(event, body)


def _keep(event: WebhookEvent, body: bytes) -> Response:
    intake = EventIntake(services.store, services.queue.wake, services.app_id)
    try:
        accepted = intake.accept(event, body, services.clock())
    except StoreError as error:
        # GitHub lists the delivery as failed, and the sweep finds it there.
        log.warning("delivery_not_kept", problem=str(error))
        return problem(503, "the delivery could not be stored; deliver it again")
    log.info("delivery_accepted", github_event=event.name, action=event.action, outcome=accepted)
    answer = jsonify({"delivery": event.delivery, "outcome": accepted.value})
    answer.status_code = 202
    return answer
