"""The pages of the audit log: everybody's own activity."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from recognition.api.people import person_of
from recognition.audit import trail

PAGE_SIZE = 50


@login_required
def activity(request: HttpRequest) -> HttpResponse:
    """What was done and looked at with the signed-in person's account and keys."""
    entries = trail.entries_of(person_of(request).pk)
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = [(entry, trail.words_of(entry)) for entry in page]
    return render(request, "audit/activity.html", {"page": page, "entries": shown})


@login_required
def activity_file(request: HttpRequest) -> HttpResponseBase:
    """The same as CSV."""
    return csv_response(trail.entries_of(person_of(request).pk), "activity")


def csv_response(entries: trail.Entries, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(trail.as_csv(entries), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response
