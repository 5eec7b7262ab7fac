"""Filters that lists share."""

from datetime import UTC
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from recognition.models import EMOTION_CHOICES, Analysis
from recognition.models.derived import searchable

LONGEST_TEXT = 200  # SQLite refuses patterns of more than 50,000 bytes


class IdsFilter(django_filters.BaseInFilter, django_filters.UUIDFilter):
    """Several ids, separated by commas."""


class MomentField(django_filters.fields.IsoDateTimeField):
    """A time with any offset, converted to UTC: PostgreSQL rejects offsets of 16 hours or more."""

    def to_python(self, value: Any) -> Any:
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:  # before the year 1, or after 9999
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Filters by time."""

    field_class = MomentField


class AnalysisFilter(django_filters.FilterSet):
    """The filters of a list of analyses."""

    id = IdsFilter(lookup_expr="in")
    status = django_filters.ChoiceFilter(choices=Analysis.Status.choices, empty_label="Any")
    kind = django_filters.ChoiceFilter(choices=Analysis.Kind.choices, empty_label="Any")
    emotion = django_filters.ChoiceFilter(choices=EMOTION_CHOICES, empty_label="Any")
    model_version = django_filters.NumberFilter("model_version__number")
    created_after = MomentFilter("created_at", lookup_expr="gte")
    created_before = MomentFilter("created_at", lookup_expr="lt")
    min_seconds = django_filters.NumberFilter("seconds", lookup_expr="gte", label="at least (s)")
    max_seconds = django_filters.NumberFilter("seconds", lookup_expr="lte", label="at most (s)")
    text = django_filters.CharFilter(
        method="with_text", label="in title, notes or tags", max_length=LONGEST_TEXT
    )

    def with_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(search_text__contains=searchable(value))
