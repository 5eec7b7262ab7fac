"""The pages of the history: list, dashboard, exports."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from recognition import describe
from recognition.api.people import person_of
from recognition.history import export_requests, statistics, tables
from recognition.history.filters import HistoryFilter
from recognition.history.paging import HistoryPaginator
from recognition.models import Export, ModelVersion

PAGE_SIZE = 24


@login_required
def analysis_list(request: HttpRequest) -> HttpResponse:
    found = HistoryFilter(request.GET, person_of(request).analyses.all())
    page = HistoryPaginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter": found,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "versions": ModelVersion.objects.filter(archived=False),
    }
    return render(request, "history/history.html", context)


@login_required
def analysis_faces(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The faces as a CSV file."""
    analysis = get_object_or_404(person_of(request).analyses, pk=pk)
    response = HttpResponse(tables.write_faces(analysis), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="faces-{analysis.pk}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
def export_list(request: HttpRequest) -> HttpResponse:
    data = [describe.describe_export(export) for export in person_of(request).exports.all()]
    return render(request, "history/exports.html", {"exports_data": data, "kept": Export.KEPT})


@login_required
@require_POST
def export_everything(request: HttpRequest) -> HttpResponse:
    """Asks for a zip of everything that is the signed-in person's."""
    try:
        export_requests.request_export(person_of(request), Export.Format.ZIP, {})
    except export_requests.TooManyExports as refusal:
        messages.error(request, str(refusal))
    return redirect("export-list")


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """The status part of the upload page, which the page reloads by itself."""
    return render(request, "history/_dashboard.html", statistics.overview(person_of(request)))
