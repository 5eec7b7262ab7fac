"""Lists, filters and the dashboard with 100,000 analyses: `make bench-history`.

Fills a new database (SQLite, or DATABASE_URL's, which must be empty; PostgreSQL copies rows itself
above 10,000, so that a million take minutes) and requests pages as a signed-in person, through all
of Django but without a network. The 95th percentile of every page except a year's statistics must
stay below 150 ms.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

LIMIT_MS = 150.0
BATCH = 2000
FILLED = 10_000  # rows that Python makes where the database can copy them
PERSON = "bench"
# Search, status, expression, dates, version, and common combinations.
FILTERS = {
    "first page": "",
    "page 40": "page=40",
    "last page": "page={last}",
    "state failed": "status=failed",
    "kind webcam": "kind=webcam",
    "expression disgust": "emotion=disgust",
    "expression happy": "emotion=happy",
    "one month": "since={month}&until={today}",
    "version 1": "model_version=1",
    "text, rare": "text=picture+4711",
    "text, in every tag": "text=day",
    "text, nowhere": "text=zebra",
    "all together": "status=succeeded&emotion=sad&since={month}&text=day+1&model_version=1",
}
LISTS = {
    "API, first": "/api/v1/analyses/",
    "API, oldest first": "/api/v1/analyses/?order=created_at",
    "API, 200 a page": "/api/v1/analyses/?page_size=200",
    "API, expression disgust": "/api/v1/analyses/?emotion=disgust",
    "API, text nowhere": "/api/v1/analyses/?text=zebra",
    "API, faces": "/api/v1/faces/",
    "API, faces, disgust": "/api/v1/faces/?emotion=disgust",
    "API, faces, none so sure": "/api/v1/faces/?min_probability=0.9",
}
SUMS = {
    "home": "/",
    "dashboard": "/dashboard/",
    "API, me": "/api/v1/me/",
    "API, stats": "/api/v1/stats/",
}
YEAR = {"API, stats of a year": "/api/v1/stats/?days=366"}


def start_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
    os.environ["MIEN_LOG_LEVEL"] = "ERROR"
    # This benchmark sends hundreds of requests a minute as one person.
    os.environ["MIEN_API_REQUESTS_PER_MINUTE"] = "1000000"
    import django

    django.setup()


def fill(count: int) -> None:
    """A year of analyses, nine of ten by one person, with mixed kinds, states, tags and faces."""
    import numpy as np
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from recognition.engine.emotions import EMOTIONS
    from recognition.models import Analysis, Face
    from recognition.registry import registry

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if Analysis.objects.exists():
        sys.exit("The database isn't empty. Nothing was changed.")
    users = get_user_model().objects
    users.create_superuser("admin", "admin@example.org", "a long enough password")
    people = [users.create_user(name, f"{name}@example.org") for name in (PERSON, "other")]
    version = registry.register_shipped_model()
    random = np.random.default_rng(0)
    now = datetime.now(UTC)
    shares = [0.12, 0.02, 0.1, 0.3, 0.26, 0.12, 0.08]  # angry to neutral, as photos have them

    def analysis(number: int) -> Analysis:
        failed = number % 50 == 0
        done = now - timedelta(days=365 * number / count)
        return Analysis(
            owner=people[number % 10 == 9],
            kind="webcam" if number % 40 == 1 else "image",
            status="failed" if failed else "succeeded",
            error_message="The file is damaged." if failed else "",
            title=f"picture {number}.jpg",
            notes="a note of some length, as people write them" if number % 3 == 0 else "",
            tags=["bench", f"day {number % 30}"],
            model_version=None if failed else version,
            emotion="" if failed else str(random.choice(EMOTIONS, p=shares)),
            face_count=0 if failed else 1,
            width=1280,
            height=960,
            stored_bytes=300_000,
            thumbnail=f"thumbnails/{number}.webp",
            photo=f"photos/{number}.webp",
            created_at=done,
            enqueued_at=done,
            finished_at=done,
        )

    def face(one: Analysis) -> Face:
        return Face(
            analysis=one,
            x=40.0,
            y=40.0,
            width=90.0,
            height=90.0,
            score=0.99,
            probabilities=[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1],
            emotion=one.emotion,
            probability=0.4,
        )

    # The dates are set by hand here.
    created = Analysis._meta.get_field("created_at"), Analysis._meta.get_field("enqueued_at")
    for field in created:
        field.auto_now_add = False
    for start in reversed(range(0, count, BATCH)):
        rows = [analysis(number) for number in reversed(range(start, min(start + BATCH, count)))]
        Analysis.objects.bulk_create(rows)
        Face.objects.bulk_create([face(one) for one in rows if one.face_count])
    for field in created:
        field.auto_now_add = True
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def fill_quickly(count: int) -> None:
    from django.db import connection

    if connection.vendor == "postgresql" and count > FILLED:
        fill(FILLED)
        multiply(count // FILLED)
    else:
        fill(count)


def multiply(times: int) -> None:
    """Each analysis and its faces `times` over, some seconds apart; PostgreSQL makes the copies."""
    from django.db import connection

    from recognition.models import Analysis, Face

    number = "substring(title from '[0-9]+')::int"
    changed = {
        "id": "md5(id::text || copy)::uuid",
        "analysis_id": "md5(analysis_id::text || copy)::uuid",
        "title": f"'picture ' || {number} + copy * {FILLED} || '.jpg'",
        **{
            name: f"{name} + copy * interval '1 second' * {365 * 86400 / FILLED / times}"
            for name in ("created_at", "enqueued_at", "finished_at")
        },
    }
    with connection.cursor() as cursor:
        for model in (Analysis, Face):
            table = model._meta.db_table
            names = [one.column for one in model._meta.concrete_fields]
            names = [name for name in names if name != "id" or model is Analysis]
            values = ", ".join(changed.get(name, f'"{name}"') for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} "
                f"CROSS JOIN generate_series(1, {times - 1}) AS copy"
            )
        cursor.execute("ANALYZE")


def addresses(count: int) -> Iterator[tuple[str, str, bool]]:
    """The name and address of each measured page, and whether the limit applies."""
    today = datetime.now(UTC).date()
    values = {"today": today, "month": today - timedelta(days=30), "last": count * 9 // 10 // 24}
    for name, query in FILTERS.items():
        yield name, "/analyses/?" + query.format(**values), True
    for name, address in (LISTS | SUMS).items():
        yield name, address, True
    for name, address in YEAR.items():
        yield name, address, False


def measure(count: int, repeats: int) -> bool:
    """Print a line per address; returns whether all stay below the limit."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client, override_settings

    client, fine = Client(), True
    client.force_login(get_user_model().objects.get(username=PERSON))
    print(
        f"{count} analyses, {connection.vendor}\n| page | median ms | p95 ms |\n| --- | --- | --- |"
    )
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        for name, address, limited in addresses(count):
            times = []
            for _ in range(repeats + 1):
                started = time.perf_counter()
                answer = client.get(address)
                times.append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200, (address, answer.status_code)
                if len(times) == 1:  # everything is loaded: as in fer_site.asgi
                    gc.collect()
                    gc.freeze()
            p95 = statistics.quantiles(times[1:], n=20, method="inclusive")[-1]
            slow = limited and p95 > LIMIT_MS
            fine = fine and not slow
            late = f"  <- above {LIMIT_MS:.0f}" if slow else ""
            print(f"| {name} | {statistics.median(times[1:]):.1f} | {p95:.1f}{late} |", flush=True)
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analyses", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        os.environ["MIEN_DATA"] = folder
        start_django()
        started = time.perf_counter()
        fill_quickly(options.analyses)
        print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
        return 0 if measure(options.analyses, options.repeats) else 1


if __name__ == "__main__":
    sys.exit(main())
