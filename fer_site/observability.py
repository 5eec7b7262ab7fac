"""Logs and traces: how they are written, and where they go. Both are plain and local by default."""

from typing import Any

from fer_site.environment import env_text

REQUEST_ID = "X-Request-ID"


def logging_settings(form: str) -> dict[str, Any]:
    """Django's LOGGING: lines of text, or of JSON with the id of the request that led to each."""
    formatters: dict[str, dict[str, Any]] = {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(process)d",
            "rename_fields": {
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
                "correlation_id": "request_id",
            },
        },
    }
    filters: dict[str, dict[str, Any]] = {
        "request_id": {"()": "django_guid.log_filters.CorrelationId"},
        "job": {"()": "fer_site.observability.JobFilter"},
    }
    console: dict[str, Any] = {"class": "logging.StreamHandler", "formatter": form}
    if form == "json":
        console["filters"] = list(filters)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {form: formatters[form]},
        "filters": filters if form == "json" else {},
        "handlers": {"console": console},
        "root": {"handlers": ["console"], "level": env_text("MIEN_LOG_LEVEL", "INFO")},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
            "celery.worker.strategy": {"level": "WARNING"},  # one line per task received
            "celery.app.trace": {"level": "WARNING"},  # and one per finished task
            "celery.beat": {"level": "WARNING"},
            "django_guid": {"level": "WARNING"},
            "uvicorn": {"handlers": ["console"], "level": "INFO", "propagate": False},
            "httpx": {"level": "WARNING"},
        },
    }


def guid_settings() -> dict[str, Any]:
    """django-guid's: a request keeps the id that a proxy gave it, and passes it on to its tasks."""
    from django_guid.integrations import CeleryIntegration

    return {
        "GUID_HEADER_NAME": REQUEST_ID,
        "EXPOSE_HEADER": False,
        "UUID_LENGTH": 32,
        "INTEGRATIONS": [CeleryIntegration(use_django_logging=True, log_parent=False)],
    }


class JobFilter:
    """Adds to each line of a log which job it is about, if the process is carrying one out."""

    def filter(self, record: Any) -> bool:
        from celery import current_task

        request = current_task.request if current_task else None
        arguments = request.args if request else None
        record.task = getattr(request, "task", None)
        # The first argument of a job's task is its primary key; frames carry a dictionary.
        record.job = arguments[0] if arguments and isinstance(arguments[0], str) else None
        return True


def start_tracing(endpoint: str, role: str) -> None:
    """Send a trace of each request, with the tasks that it led to, to an OTLP collector."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": f"mien-{role}"}))
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()
    if role == "site":
        DjangoInstrumentor().instrument()
