"""Health checks of the database and Redis."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from recognition import health


def find_problems() -> list[str]:
    """A sentence for each part that doesn't respond; empty if all do."""
    problems = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        problems.append("The database isn't responding.")
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            client.ping()
    except (redis.RedisError, OSError):
        problems.append("Redis isn't responding.")
    return problems


def healthy(request: HttpRequest) -> HttpResponse:
    """For supervisors and load balancers: 200 if database and Redis respond, else 503."""
    problems = health.find_problems()
    if problems:
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse({"status": "ok"})
