"""Routes on an app's webhook deliveries: the list, one delivery, and redelivery.

https://docs.github.com/en/rest/apps/webhooks
"""

import json
from datetime import timedelta

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.limits import PAGE, REDELIVERY_SECONDS
from ghapp.demo.sandbox.routing import RouteTable
from ghapp.demo.sandbox.state import HubDelivery

ROUTES = RouteTable()


@ROUTES("GET", "/app/hook/deliveries", sender="app", query="per_page cursor status redelivery")
def deliveries(call: HubCall) -> HubAnswer:
    """List deliveries by cursor, the newest first."""
    found = _kept(call)
    status = call.query.get("status")
    if status not in {None, "success", "failure"}:
        raise ErrorAnswer(422, "Invalid request.\n\nstatus is success or failure.")
    if status is not None:
        found = [one for one in found if _status_filter(one) == status]
    cursor = call.query.get("cursor")
    if cursor is not None:
        found = [one for one in found if f"v1_{one.id}" <= cursor]
    size = min(int(call.query.get("per_page", "30")), PAGE)
    headers = _next_link(call, found[size], size) if len(found) > size else {}
    return HubAnswer([call.shapes.delivery(one) for one in found[:size]], headers=headers)


def _kept(call: HubCall) -> list[HubDelivery]:
    oldest = call.world.now() - timedelta(seconds=REDELIVERY_SECONDS)
    kept = [
        one
        for one in call.world.deliveries.values()
        if one.app is call.app and one.delivered_at >= oldest
    ]
    return sorted(kept, key=lambda one: one.id, reverse=True)


def _status_filter(delivery: HubDelivery) -> str | None:
    """Return the filter that finds a delivery; without a status code neither does."""
    if 200 <= delivery.status_code < 400:
        return "success"
    return "failure" if 400 <= delivery.status_code < 600 else None


def _next_link(call: HubCall, first: HubDelivery, size: int) -> dict[str, str]:
    status = f"&status={call.query['status']}" if "status" in call.query else ""
    url = f"{call.world.links.api}{call.path}?per_page={size}{status}&cursor=v1_{first.id}"
    return {"Link": f'<{url}>; rel="next"'}


def _own(call: HubCall) -> HubDelivery:
    number = call.number("delivery_id")
    return existing(next((one for one in _kept(call) if one.id == number), None))


@ROUTES("GET", "/app/hook/deliveries/{delivery_id}", sender="app")
def delivery(call: HubCall) -> HubAnswer:
    """Answer with one delivery and its payload."""
    found = _own(call)
    return HubAnswer(call.shapes.full_delivery(found, json.loads(found.body)))


@ROUTES("POST", "/app/hook/deliveries/{delivery_id}/attempts", sender="app")
def redeliver(call: HubCall) -> HubAnswer:
    """Send a delivery again, under the same GUID."""
    call.redeliveries.append(_own(call))
    return HubAnswer({}, status=202)
