"""The page's files of videos."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from recognition.api.people import person_of
from recognition.api.private_files import serve_media


@login_required
def analysis_media(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return serve_media(request, get_object_or_404(person_of(request).analyses, pk=pk).media)
