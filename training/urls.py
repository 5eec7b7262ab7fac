"""All URLs of training, joined from the rooms' own."""

from django.urls import include, path

from training.datasets import urls as datasets
from training.runs import urls as runs
from training.versions import urls as versions

urlpatterns = [
    *datasets.urlpatterns,
    *runs.urlpatterns,
    *versions.urlpatterns,
    path(
        "api/v1/",
        include([*datasets.api_urlpatterns, *runs.api_urlpatterns, *versions.api_urlpatterns]),
    ),
]
