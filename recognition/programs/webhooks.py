"""Webhooks: signed requests to the owner's address when an analysis ends, retried until accepted.

A delivery is a row written in the transaction that ends the analysis, so none is lost; a periodic
task sends the ones that are due.

httpx is imported where it is used: it takes 6 MB, and hardly any process sends webhooks.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from recognition import describe
from recognition.models import Analysis, Delivery, Webhook

if TYPE_CHECKING:
    import httpx

# Seconds until the next attempt; after the last one the delivery has failed.
PAUSES = [10, 60, 300, 1800, 7200, 21600]
# How long a worker's claim on a delivery lasts.
TAKEN_SECONDS = 60
TIMEOUT, CONNECT_TIMEOUT = 10, 5
# httpx's timeouts apply per read, so a receiver that drips its response could hold a worker
# forever. These limit reading the response, and the whole attempt.
ANSWER_SECONDS, ATTEMPT_SECONDS = 10, 20
KEPT = timedelta(days=30)
# IPv6 ranges that gateways map to IPv4: NAT64, 6to4, IPv4-compatible.
DISGUISES = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "2002::/16", "::/96")]
READ_BYTES = 2000


class WebhookRefused(ValueError):
    """An address that isn't allowed; the text says why."""


def create(owner: User, url: str) -> Webhook:
    """A webhook with a new secret. Raises WebhookRefused if the address isn't allowed."""
    resolve(url)
    return Webhook.objects.create(owner=owner, url=url, secret=secrets.token_urlsafe(32))


def announce(analysis: Analysis) -> None:
    """Create the deliveries for an analysis that has just ended."""
    webhooks = Webhook.objects.filter(owner_id=analysis.owner_id, active=True)
    if not webhooks:
        return
    faces = analysis.kind == Analysis.Kind.IMAGE
    state = (
        describe.describe_with_faces(analysis) if faces else describe.describe_analysis(analysis)
    )
    event = f"analysis.{analysis.status}"
    body = {"type": event, "analysis": state}
    Delivery.objects.bulk_create(
        Delivery(webhook=webhook, event=event, body=body, next_attempt_at=timezone.now())
        for webhook in webhooks
    )


def unsent() -> "QuerySet[Delivery]":
    """The deliveries that are due; those of paused webhooks wait."""
    return Delivery.objects.filter(status=Delivery.Status.PENDING, webhook__active=True)


def take_due() -> list[int]:
    """Claims the deliveries that are due, so no other worker sends them."""
    now = timezone.now()
    due = unsent().filter(next_attempt_at__lte=now)
    taken = []
    for pk, planned in due.order_by("next_attempt_at").values_list("pk", "next_attempt_at")[:100]:
        later = now + timedelta(seconds=TAKEN_SECONDS)
        if Delivery.objects.filter(pk=pk, next_attempt_at=planned).update(next_attempt_at=later):
            taken.append(pk)
    return taken


def deliver(pk: int) -> None:
    """Make one attempt to send a delivery, and store the outcome."""
    import httpx

    delivery = unsent().select_related("webhook").filter(pk=pk).first()
    if delivery is None:
        return
    if delivery.attempts > len(PAUSES):  # the last attempt killed its worker
        note(delivery, status=Delivery.Status.FAILED)
        return
    # Stored first: an attempt counts even if it kills this process.
    note(delivery, attempts=delivery.attempts + 1)
    status: int | None = None
    try:
        status, response = post(delivery)
    except TimeoutError:
        response = "The response took too long."
    except (httpx.HTTPError, WebhookRefused, OSError) as error:
        response = str(error)[:500]
    answer = {"response_status": status, "response": response}
    if status is not None and 200 <= status < 300:
        note(delivery, status=Delivery.Status.DELIVERED, delivered_at=timezone.now(), **answer)
    elif delivery.attempts > len(PAUSES):
        note(delivery, status=Delivery.Status.FAILED, **answer)
    else:
        pause = timedelta(seconds=PAUSES[delivery.attempts - 1])
        note(delivery, next_attempt_at=timezone.now() + pause, **answer)


def note(delivery: Delivery, **values: Any) -> None:
    """Store the outcome of a delivery, unless it was deleted meanwhile."""
    Delivery.objects.filter(pk=delivery.pk).update(**values)
    for name, value in values.items():
        setattr(delivery, name, value)


def resend(delivery: Delivery) -> None:
    """Send a delivery again, starting with attempt one."""
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Delivery.Status.PENDING, attempts=0, next_attempt_at=timezone.now()
    )


def forget_old() -> None:
    """Delete the log of old deliveries."""
    ended = Delivery.objects.exclude(status=Delivery.Status.PENDING)
    ended.filter(created_at__lt=timezone.now() - KEPT).delete()


def forget(owner_id: int, analysis_id: str) -> None:
    """Delete the deliveries that contain an analysis, sent or not."""
    own = Delivery.objects.filter(webhook__owner_id=owner_id)
    own.filter(body__analysis__id=analysis_id).delete()


def sign(secret: str, body: bytes, now: int) -> str:
    """The Mien-Signature header: the time, and HMAC-SHA256 over "time.body"."""
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


def post(delivery: Delivery) -> tuple[int, str]:
    """Send the request; returns the status and the start of the response."""
    import httpx

    address = resolve(delivery.webhook.url)
    url = httpx.URL(delivery.webhook.url)
    body = json.dumps({"id": delivery.pk, **delivery.body}).encode()
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Mien",
        "Mien-Event": delivery.event,
        "Mien-Delivery": str(delivery.pk),
        "Mien-Signature": sign(delivery.webhook.secret, body, int(time.time())),
    }
    # Connect to the address that was checked, even if the name resolves differently by now.
    pinned = url.copy_with(host=address)
    extensions = {"sni_hostname": url.host}
    request = httpx.Request("POST", pinned, content=body, headers=headers, extensions=extensions)
    status, begun = asyncio.run(send(request))
    return status, begun.decode("utf-8", "replace").replace("\0", "")[:500]


async def send(request: "httpx.Request") -> tuple[int, bytes]:
    """The status and the first bytes of the response. Raises TimeoutError after ATTEMPT_SECONDS.

    Asynchronous, because a waiting thread can't be stopped.
    """
    import httpx

    deadline = time.monotonic() + ANSWER_SECONDS
    timeout = httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT)
    async with (
        asyncio.timeout(ATTEMPT_SECONDS),
        httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client,
    ):
        answer = await client.send(request, stream=True)
        return answer.status_code, await read_beginning(answer, deadline)


async def read_beginning(answer: "httpx.Response", deadline: float) -> bytes:
    """The first bytes of a response, as far as they arrived before the deadline."""
    begun = b""
    async for part in answer.aiter_raw():
        begun += part
        if len(begun) >= READ_BYTES or time.monotonic() > deadline:
            break
    return begun[:READ_BYTES]


def resolve(url: str) -> str:
    """The address to connect to. Raises WebhookRefused if it isn't public.

    All addresses of the name must be public, or in a network that the site allows.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
        host = parsed.host  # invalid names are only found here
    except (httpx.InvalidURL, UnicodeError):
        raise WebhookRefused("This isn't a valid server name.") from None
    if parsed.scheme not in {"http", "https"} or not host or parsed.userinfo:
        raise WebhookRefused("The address must start with https:// or http://.")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise WebhookRefused(f"The name {host} cannot be found.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_allowed(address) for address in addresses):
        raise WebhookRefused(f"{host} isn't a public address.")
    return addresses[0]


def is_allowed(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    # An IPv4 address mapped into IPv6 is checked as IPv4.
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in DISGUISES if network.version == address.version):
        return False
    allowed = (ipaddress.ip_network(network) for network in settings.WEBHOOK_NETWORKS)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast
