"""The pages: thin views that read what a page shows."""

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from recognition import accounts, allowances, events, health, recordings, statistics, tables
from recognition.filters import HistoryFilter
from recognition.forms import FirstAdministratorForm
from recognition.history import HistoryPaginator
from recognition.live import limits as live_limits
from recognition.models import CORRECTION_CHOICES, Analysis, Export, ModelVersion
from recognition.private_files import serve_picture

RECENT = 8
PAGE_SIZE = 24


def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "landing.html")
    context = {
        "recent": request.user.analyses.all()[:RECENT],
        "max_upload_mb": allowances.upload_bytes(request.user) // 1024**2,
    }
    return render(request, "home.html", context)


def setup(request: HttpRequest) -> HttpResponse:
    """The first visit creates the administrator; afterwards this page is gone."""
    if accounts.is_set_up():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if form.is_valid():
        email, password = form.cleaned_data["email"], form.cleaned_data["password1"]
        try:
            user = accounts.create_first_administrator(email, password)
        except IntegrityError:  # somebody else was faster
            raise Http404 from None
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return redirect("home")
    return render(request, "setup.html", {"form": form})


@login_required
def analysis_list(request: HttpRequest) -> HttpResponse:
    found = HistoryFilter(request.GET, request.user.analyses.all())
    page = HistoryPaginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter": found,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "versions": ModelVersion.objects.filter(archived=False),
    }
    return render(request, "analysis_list.html", context)


@login_required
def analysis_detail(request: HttpRequest, pk) -> HttpResponse:
    analysis = get_object_or_404(request.user.analyses, pk=pk)
    if analysis.kind == Analysis.Kind.WEBCAM:
        template, data = "session_detail.html", recordings.describe_with_tracks(analysis)
    else:
        template, data = "analysis_detail.html", events.describe_with_faces(analysis)
    versions = ModelVersion.objects.filter(archived=False)
    context = {
        "analysis": analysis,
        "analysis_data": data,
        "versions": versions,
        "corrections": CORRECTION_CHOICES,
    }
    return render(request, template, context)


@login_required
def analysis_faces(request: HttpRequest, pk) -> HttpResponse:
    """The faces as a CSV file."""
    analysis = get_object_or_404(request.user.analyses, pk=pk)
    response = HttpResponse(tables.write_faces(analysis), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="faces-{analysis.pk}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
def export_list(request: HttpRequest) -> HttpResponse:
    data = [events.describe_export(export) for export in request.user.exports.all()]
    return render(request, "export_list.html", {"exports_data": data, "kept": Export.KEPT})


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """The part of the upload page that tells how things stand; the page reads it again itself."""
    return render(request, "_dashboard.html", statistics.overview(request.user))


@login_required
def account_keys(request: HttpRequest) -> HttpResponse:
    return render(request, "account/keys.html")


@login_required
def account_webhooks(request: HttpRequest) -> HttpResponse:
    return render(request, "account/webhooks.html")


@login_required
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "live.html", {"live_limits": live_limits()})


@login_required
def analysis_photo(request: HttpRequest, pk) -> HttpResponse:
    return serve_picture(request, get_object_or_404(request.user.analyses, pk=pk).photo)


@login_required
def analysis_thumbnail(request: HttpRequest, pk) -> HttpResponse:
    return serve_picture(request, get_object_or_404(request.user.analyses, pk=pk).thumbnail)


def healthy(request: HttpRequest) -> HttpResponse:
    """For supervisors and load balancers: 200 when database and Redis answer, else 503."""
    problems = health.find_problems()
    if problems:
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse({"status": "ok"})
