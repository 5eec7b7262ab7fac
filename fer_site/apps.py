"""Django apps that this site customizes."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "fer_site.administration.Administration"
