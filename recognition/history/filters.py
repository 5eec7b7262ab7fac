"""The filters of the history, for programs and for people."""

from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django.db.models import QuerySet

from recognition.api.filters import AnalysisFilter
from recognition.models import ModelVersion


class HistoryFilter(AnalysisFilter):
    """The same for the pages: whole days in UTC, inclusive, and a list of versions."""

    model_version = django_filters.ModelChoiceFilter(
        queryset=ModelVersion.objects.all(), to_field_name="number", empty_label="Any"
    )
    since = django_filters.DateFilter(method="from_day")
    until = django_filters.DateFilter(method="to_day")

    def from_day(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(created_at__gte=beginning(value))

    def to_day(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(created_at__lte=datetime.combine(value, time.max, UTC))

    def asked(self) -> dict[str, str]:
        """The filters in the query string, without invalid ones."""
        wrong = self.form.errors
        return {
            name: self.form.data[name]
            for name in self.form.fields
            if self.form.data.get(name) and name not in wrong
        }

    def in_use(self) -> int:
        """How many filters are set, not counting the text."""
        values = self.form.cleaned_data if self.form.is_valid() else {}
        return sum(1 for name, value in values.items() if value and name != "text")


def beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
