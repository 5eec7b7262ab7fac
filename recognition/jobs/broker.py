"""The broker: messages are sent and counted here, and a broker that is down delays no request."""

import logging
from typing import Any, cast

from celery import Task, current_app
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

BROKER_TROUBLE = (OperationalError, RedisError, OSError)


def send(task: Task, *arguments: str) -> None:
    """Send a task's message; without a broker the sweeper sends it later."""
    try:
        task.delay(*arguments)
    except BROKER_TROUBLE as error:
        logger.warning("%s waits, the broker did not answer: %s", task.name, error)


def broker_answers() -> bool:
    """Whether the broker can take messages just now."""
    try:
        with current_app.connection_for_write() as broker:
            return bool(_redis(broker).ping())
    except BROKER_TROUBLE:
        return False


def queue_length(queue: str) -> int:
    """How many messages wait in a queue, not counting those that workers have taken."""
    with current_app.connection_for_read() as broker:
        return int(_redis(broker).llen(queue))  # 0 also for a queue never used


def _redis(broker: Connection) -> Any:
    """The client of a connection to Redis; other brokers have none."""
    return cast(Any, broker.default_channel).client
