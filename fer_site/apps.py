"""Django apps that this site customizes."""

from importlib import import_module

from django.contrib.admin.apps import AdminConfig
from django.core import checks

from fer_site import production


class AdministrationConfig(AdminConfig):
    default_site = "fer_site.administration.Administration"

    def ready(self) -> None:
        super().ready()
        import_module("fer_site.authenticators")  # replaces one of the pages found just now
        checks.register(production.check_production)
