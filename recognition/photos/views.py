"""The pages of photos: upload, result, pictures."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from recognition import consent, describe
from recognition.api import allowances
from recognition.api.people import after_consent, person_of
from recognition.api.private_files import serve_picture
from recognition.engine import formats, video
from recognition.models import CORRECTION_CHOICES, Analysis, ModelVersion

RECENT = 8


@after_consent
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "photos/landing.html")
    context = {
        "recent": request.user.analyses.all()[:RECENT],
        "projects": consent.projects(),
        "max_upload_mb": allowances.upload_bytes(request.user) // 1024**2,
        "max_video_mb": allowances.video_bytes(request.user) // 1024**2,
        # Names beside the types: browsers don't know all of them.
        "accept": ",".join(["image/*", "video/*", *formats.EXTENSIONS, *video.EXTENSIONS]),
    }
    return render(request, "photos/home.html", context)


@login_required
def analysis_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    analysis = get_object_or_404(person_of(request).analyses, pk=pk)
    data: describe.AnalysisSummary
    if analysis.kind == Analysis.Kind.IMAGE:
        template, data = "photos/analysis.html", describe.describe_with_faces(analysis)
    else:  # what happens over time is loaded bit by bit
        template, data = "videos/replay.html", describe.describe_analysis(analysis)
    versions = ModelVersion.objects.filter(archived=False)
    context = {
        "analysis": analysis,
        "analysis_data": data,
        "versions": versions,
        "corrections": CORRECTION_CHOICES,
    }
    return render(request, template, context)


@login_required
def analysis_photo(request: HttpRequest, pk: UUID) -> HttpResponse:
    return serve_picture(request, get_object_or_404(person_of(request).analyses, pk=pk).photo)


@login_required
def analysis_thumbnail(request: HttpRequest, pk: UUID) -> HttpResponse:
    return serve_picture(request, get_object_or_404(person_of(request).analyses, pk=pk).thumbnail)
