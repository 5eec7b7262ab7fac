"""`manage.py remove_second_factor EMAIL`: for somebody who lost phone and recovery codes."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.accounts import second_factor


class Command(BaseCommand):
    help = "Removes a person's authenticator app, passkeys and recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address that the person signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        user = get_user_model().objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody signs in with {email}. Check the address.")
        if second_factor.remove(user):
            self.stdout.write(f"{email} signs in with the password alone now.")
        else:
            self.stdout.write(f"{email} has no second factor.")
