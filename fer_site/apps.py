"""Django apps that this site customizes."""

from django.contrib.admin.apps import AdminConfig
from django.core import checks

from fer_site import production


class AdministrationConfig(AdminConfig):
    default_site = "fer_site.administration.Administration"

    def ready(self) -> None:
        super().ready()
        checks.register(production.check_production)
