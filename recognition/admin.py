"""Django's admin: numbers and states, never anyone's photo."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from recognition import consent
from recognition.accounts import erasure
from recognition.accounts.tasks import erase_closed_accounts
from recognition.api.people import person_of
from recognition.audit import trail
from recognition.audit.actions import WORDS
from recognition.audit.middleware import address_of
from recognition.audit.views import csv_response
from recognition.jobs.broker import send
from recognition.models import (
    Allowance,
    Analysis,
    ApiKey,
    AuditEntry,
    ConsentText,
    ModelEvent,
    ModelVersion,
)
from recognition.photos import analyses

LIMITS: Mapping[type[models.Field], Mapping[str, Any]] = {
    models.PositiveIntegerField: {"help_text": "Leave empty for no exception; 0 allows nothing."}
}


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows whose state changes only through the code of their room."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = ["id", "owner", "kind", "status", "attempts", "face_count", "created_at"]
    list_filter = ["status", "kind", "model_version"]
    date_hierarchy = "created_at"
    fields = [
        *["id", "owner", "kind", "status", "face_count", "model_version", "milliseconds"],
        *["error_code", "error_message", "attempts", "created_at", "started_at", "finished_at"],
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        analyses.delete_analysis(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for analysis in queryset:
            analyses.delete_analysis(analysis)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["number", "architecture", "active", "archived", "created_by", "created_at"]
    fields = [
        *["number", "architecture", "active", "archived", "shipped", "imported", "note"],
        *["sha256", "weights_sha256", "keras_sha256", "card", "created_by", "created_at"],
    ]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys can be limited here; only owners see, create and revoke them."""

    list_display = ["name", "owner", "prefix", "scopes", "last_used_at", "expires_at", "revoked_at"]
    fields = [
        *["owner", "name", "prefix", "scopes", "requests_per_minute", "upload_mb"],
        *["created_at", "expires_at", "last_used_at", "revoked_at"],
    ]
    readonly_fields = [
        *["owner", "name", "prefix", "scopes"],
        *["created_at", "expires_at", "last_used_at", "revoked_at"],
    ]
    formfield_overrides = LIMITS

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser  # otherwise a person who has one couldn't be deleted


@admin.register(Allowance)
class AllowanceAdmin(admin.ModelAdmin):
    list_display = ["user", "requests_per_minute", "upload_mb", "video_mb"]
    formfield_overrides = LIMITS


@admin.register(ModelEvent)
class ModelEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "action", "version", "previous", "user", "confirmed", "reason"]
    list_filter = ["action"]
    list_select_related = ["version", "previous", "user"]


class ActionFilter(admin.SimpleListFilter):
    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what. Nobody can change it here; old entries go by themselves."""

    list_display = ["at", "user", "what", "subject", "address", "key"]
    list_filter = [ActionFilter]
    list_select_related = ["user"]
    search_fields = ["user__email", "subject", "address"]
    date_hierarchy = "at"
    actions = ["download"]
    fields = ["at", "user", "what", "action", "subject", "address", "key"]

    @admin.display(description="action")
    def what(self, entry: AuditEntry) -> str:
        return trail.words_of(entry)

    @admin.action(description="Download as CSV", permissions=["view"])
    def download(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        who, address = person_of(request), address_of(request)
        trail.record("audit.downloaded", who.pk, address=address)
        return csv_response(queryset, "audit-log")


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    """Texts that people accept. A change is a new version, which everybody is asked about."""

    list_display = ["__str__", "published_at", "published_by", "retired_at", "consents_now"]
    actions = ["retire"]
    fields = ["project", "body"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        project = request.GET.get("project", "")
        text = consent.current(project)
        return {"project": project, "body": text.body if text else consent.DRAFT}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        published = consent.publish(obj.project, obj.body, person_of(request))
        obj.pk, obj.version = published.pk, published.version

    @admin.display(description="people who agree")
    def consents_now(self, text: ConsentText) -> int:
        return text.consents.filter(withdrawn_at=None).count()

    @admin.action(description="Ask nobody any more", permissions=["add"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        consent.retire(queryset)


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People. Deleting one erases everything that is theirs, as their own page does."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj and erasure.is_last_administrator(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        erasure.close(obj)
        send(erase_closed_accounts)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for person in queryset:
            if not erasure.is_last_administrator(person):
                erasure.close(person)
        send(erase_closed_accounts)
