"""The page of data sets."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recognition.api.people import administrators_only, person_of
from recognition.photos import corrections
from training.datasets import events, intake
from training.models import Dataset

DATASETS_SHOWN = 10  # each with its table and its samples


@administrators_only
def dataset_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Dataset.objects.all(), DATASETS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "datasets": [events.describe_dataset(dataset) for dataset in page],
        "files": intake.server_files(),
        "votes_files": intake.server_votes(),
        "corrections": corrections.labeled(person_of(request)).count(),
        "limit_mb": settings.MAX_DATASET_BYTES // 1024**2,
        "kinds": ",".join(intake.KINDS),
    }
    return render(request, "training/datasets/datasets.html", context)
