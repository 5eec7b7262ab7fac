"""What administrators see in Django's admin: figures and states, never somebody's photo."""

from django.contrib import admin

from recognition import analyses
from recognition.models import Analysis, ModelEvent, ModelVersion


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows whose states change only through the code that owns them."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
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

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser

    def delete_model(self, request, obj):
        analyses.delete_analysis(obj)

    def delete_queryset(self, request, queryset):
        for analysis in queryset:
            analyses.delete_analysis(analysis)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["number", "architecture", "active", "archived", "created_by", "created_at"]
    fields = [
        *["number", "architecture", "active", "archived", "shipped", "imported", "note"],
        *["sha256", "weights_sha256", "card", "created_by", "created_at"],
    ]


@admin.register(ModelEvent)
class ModelEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "action", "version", "previous", "user", "confirmed", "reason"]
    list_filter = ["action"]
    list_select_related = ["version", "previous", "user"]
