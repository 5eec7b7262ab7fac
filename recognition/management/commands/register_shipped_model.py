"""`manage.py register_shipped_model`: a step of the set-up, harmless when repeated."""

from typing import Any

from django.core.management.base import BaseCommand

from recognition.registry.registry import register_shipped_model


class Command(BaseCommand):
    help = "Registers the network that comes with the code, and activates it on a fresh site."

    def handle(self, *args: Any, **options: Any) -> None:
        version = register_shipped_model()
        if options["verbosity"]:
            self.stdout.write(f"Shipped model: {version}")
