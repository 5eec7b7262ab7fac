"""The pages of trainings for administrators; for anybody else they are not there."""

import functools
from collections.abc import Callable

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from recognition import corrections
from training import events, intake, jobs_overview
from training.models import Dataset, TrainingRun

PAGE_SIZE = 24
DATASETS_SHOWN = 10  # each with its table and its samples

View = Callable[..., HttpResponse]


def administrators_only(view: View) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@administrators_only
def run_list(request: HttpRequest) -> HttpResponse:
    runs = TrainingRun.objects.select_related("dataset", "created_by", "model_version")
    page = Paginator(runs.prefetch_related("epochs"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "runs": [events.describe_run(run) for run in page],
        "datasets": Dataset.objects.filter(status=Dataset.Status.SUCCEEDED),
        "chosen": request.GET.get("dataset", ""),
    }
    return render(request, "training/run_list.html", context)


@administrators_only
def run_detail(request: HttpRequest, pk) -> HttpResponse:
    run = get_object_or_404(TrainingRun.objects.select_related("dataset", "created_by"), pk=pk)
    context = {"run": run, "state": events.describe_run_detail(run)}
    return render(request, "training/run_detail.html", context)


@administrators_only
def dataset_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Dataset.objects.all(), DATASETS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "datasets": [events.describe_dataset(dataset) for dataset in page],
        "files": intake.server_files(),
        "votes_files": intake.server_votes(),
        "corrections": corrections.labeled(request.user).count(),
        "limit_mb": settings.MAX_DATASET_BYTES // 1024**2,
        "kinds": ",".join(intake.KINDS),
    }
    return render(request, "training/dataset_list.html", context)


@administrators_only
def jobs(request: HttpRequest) -> HttpResponse:
    return render(request, "training/jobs.html", {"overview": jobs_overview.describe_all()})
