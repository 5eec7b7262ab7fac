"""The page of jobs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recognition.api.people import administrators_only
from recognition.jobs import overview


@administrators_only
def jobs(request: HttpRequest) -> HttpResponse:
    return render(request, "jobs/jobs.html", {"overview": overview.describe_all()})
