"""/api/v1/jobs/: what runs, waits and failed, for administrators; nobody else finds it."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.access import HasScope, IsAdministrator
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.jobs import overview, work
from recognition.jobs.kinds import KINDS, pausable_queues
from recognition.jobs.overview import QUEUES
from recognition.jobs.tasks import requeue_stale

KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS))
QUEUE = OpenApiParameter("queue", str, OpenApiParameter.PATH, enum=QUEUES)


class JobSerializer(StateSerializer):
    state = overview.JobState


class QueueSerializer(StateSerializer):
    state = overview.QueueState


class JobOverviewSerializer(StateSerializer):
    state = overview.Overview


class WorkersSerializer(StateSerializer):
    state = overview.Workers


class RetryFailedSerializer(serializers.Serializer):
    """Which failed jobs: those of a kind with this code."""

    kind = serializers.ChoiceField(choices=list(KINDS))
    code = serializers.CharField(max_length=50)


class RetriedSerializer(serializers.Serializer):
    """How many are queued again; at most 500 in a request."""

    retried = serializers.IntegerField()


class JobViewSet(RateHeaders, viewsets.ViewSet):
    """Jobs of all kinds. Administrators only."""

    scope = read_scope = "train"
    permission_classes = [IsAdministrator, HasScope]

    @extend_schema(operation_id="jobs_overview", responses=JobOverviewSerializer)
    def overview(self, request: Request) -> Response:
        """Queues, jobs that run, wait and failed, with tracebacks. Administrators only."""
        return Response(overview.describe_all())

    @extend_schema(operation_id="jobs_workers", responses=WorkersSerializer)
    def workers(self, request: Request) -> Response:
        """The workers and what each does; they have most of a second to answer."""
        return Response(overview.describe_workers())

    @extend_schema(
        operation_id="jobs_retry_failed",
        request=RetryFailedSerializer,
        responses={202: RetriedSerializer},
    )
    def retry_failed(self, request: Request) -> Response:
        """Queue all jobs of a kind again that failed with one code."""
        wanted = RetryFailedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        kind = KINDS[wanted.validated_data["kind"]]
        retried = work.retry_failed(kind, wanted.validated_data["code"])
        return Response({"retried": retried}, 202)

    @extend_schema(
        operation_id="job_retry", parameters=[KIND], request=None, responses={202: JobSerializer}
    )
    def retry(self, request: Request, kind: str, pk: Any) -> Response:
        """Queue a job again that failed or was canceled; a training goes on from its last epoch."""
        job = find(kind, pk)
        if not (job.can_retry and work.retry(job)):
            detail = "Only what failed or was canceled, and whose files are kept, can be retried."
            raise Problem(409, "not_retryable", detail)
        return Response(overview.describe_job(kind, find(kind, pk)), 202)

    @extend_schema(
        operation_id="job_cancel", parameters=[KIND], request=None, responses=JobSerializer
    )
    def cancel(self, request: Request, kind: str, pk: Any) -> Response:
        """Stop a job that waits or runs."""
        job = find(kind, pk)
        if not work.cancel(job):
            raise Problem(409, "not_cancelable", f"This job is {job.status} already.")
        return Response(overview.describe_job(kind, find(kind, pk)))

    @extend_schema(
        operation_id="queue_pause", parameters=[QUEUE], request=None, responses=QueueSerializer
    )
    def pause(self, request: Request, queue: str) -> Response:
        """Let no job of a queue begin until it is resumed; those that run end as they would."""
        check_pausable(queue)
        work.pause(queue, request.user)
        return Response(overview.describe_queue(queue))

    @extend_schema(
        operation_id="queue_resume", parameters=[QUEUE], request=None, responses=QueueSerializer
    )
    def resume(self, request: Request, queue: str) -> Response:
        """Let the jobs of a paused queue begin."""
        check_pausable(queue)
        work.resume(queue, request.user, requeue_stale.delay)
        return Response(overview.describe_queue(queue))


def find(kind: str, pk: Any) -> Any:
    """The job, or 404."""
    if kind not in KINDS:
        raise Http404
    return get_object_or_404(KINDS[kind].described(), pk=pk)


def check_pausable(queue: str) -> None:
    """404 for a queue that does not exist, 409 for one that cannot be paused."""
    if queue not in QUEUES:
        raise Http404
    if queue not in pausable_queues():
        detail = f"The queue {queue} cannot be paused; its workers can be stopped instead."
        raise Problem(409, "not_pausable", detail)
