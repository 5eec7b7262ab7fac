"""manage.py make_bucket: the bucket of object storage, if it isn't there yet."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition import objects, storage


class Command(BaseCommand):
    help = "Make the bucket that MIEN_S3_BUCKET names, unless it is there."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.S3:
            raise CommandError("Set MIEN_S3_BUCKET and its keys: see docs/how-to/scale-out.md.")
        name = settings.S3["bucket_name"]
        try:
            made = objects.make_bucket(name)
        except Exception as error:
            if not storage.is_trouble(error):
                raise
            raise CommandError(f"The bucket {name} was not made: {error}") from error
        self.stdout.write(f"{name} was made" if made else f"{name} was there already")
