"""The pages of training runs."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from recognition.api.people import administrators_only
from training.models import Dataset, TrainingRun
from training.runs import events

PAGE_SIZE = 24


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
    return render(request, "training/runs/runs.html", context)


@administrators_only
def run_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = get_object_or_404(TrainingRun.objects.select_related("dataset", "created_by"), pk=pk)
    context = {"run": run, "state": events.describe_run_detail(run)}
    return render(request, "training/runs/run.html", context)
