"""Which of Django's parts this site has in a form of its own."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "fer_site.administration.Administration"
