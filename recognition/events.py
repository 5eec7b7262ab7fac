"""Events for browsers: one TypedDict per payload, the group names, and publish()."""

import asyncio
import functools
import logging
import threading
from collections.abc import Mapping
from typing import Literal, TypedDict

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from recognition.describe import (
    AnalysisSummary,
    ExportState,
    describe_analysis,
    describe_export,
)
from recognition.models import Analysis, Export

logger = logging.getLogger(__name__)
SEND_SECONDS = 5


class AnalysisChanged(TypedDict):
    type: Literal["analysis.changed"]
    analysis: AnalysisSummary


class AnalysisDeleted(TypedDict):
    type: Literal["analysis.deleted"]
    id: str


class ExportChanged(TypedDict):
    type: Literal["export.changed"]
    export: ExportState


class ExportDeleted(TypedDict):
    type: Literal["export.deleted"]
    id: str


Event = Mapping[str, object]
"""A `type` and the change; each room has a TypedDict for each of its events."""


STAFF_GROUP = "staff"
"""The group of all administrators' sockets."""


def owner_group(owner_id: int) -> str:
    """The group of all sockets of one person."""
    return f"owner-{owner_id}"


def publish_change(analysis: Analysis) -> None:
    """Send the new state of an analysis to its owner's pages."""
    event: AnalysisChanged = {"type": "analysis.changed", "analysis": describe_analysis(analysis)}
    publish(owner_group(analysis.owner_id), event)


def publish_deletion(owner_id: int, analysis_id: str) -> None:
    """Tell the owner's pages that an analysis was deleted."""
    event: AnalysisDeleted = {"type": "analysis.deleted", "id": analysis_id}
    publish(owner_group(owner_id), event)


def publish_export(export: Export) -> None:
    """Send the new state of an export to its owner's pages."""
    event: ExportChanged = {"type": "export.changed", "export": describe_export(export)}
    publish(owner_group(export.owner_id), event)


def publish_export_deletion(owner_id: int, export_id: str) -> None:
    """Tell the owner's pages that an export was deleted."""
    event: ExportDeleted = {"type": "export.deleted", "id": export_id}
    publish(owner_group(owner_id), event)


def publish(group: str, event: Event) -> None:
    """Send an event to a group. Events are hints, so failing to send one only logs it."""
    sending = get_channel_layer().group_send(group, {"type": "forward", "event": event})
    try:
        asyncio.run_coroutine_threadsafe(sending, event_loop()).result(SEND_SECONDS)
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("Event %s to %s was not sent: %s", event["type"], group, error)


@functools.cache
def event_loop() -> asyncio.AbstractEventLoop:
    """This process's event loop for events, in its own thread.

    The channel layer keeps connections per loop; a new loop for each event, as async_to_sync
    creates in a worker, would connect to Redis each time.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="events", daemon=True).start()
    return loop
