"""What a history can be narrowed to, for programs and for people."""

from datetime import UTC, date, datetime, time

import django_filters
from django.core.exceptions import ValidationError

from recognition.derived import searchable
from recognition.models import EMOTION_CHOICES, Analysis, ModelVersion

LONGEST_TEXT = 200  # SQLite refuses patterns of more than 50,000 bytes


class IdsFilter(django_filters.BaseInFilter, django_filters.UUIDFilter):
    """Any of several ids, separated by commas."""


class MomentField(django_filters.fields.IsoDateTimeField):
    """A moment in any offset, given in UTC: PostgreSQL takes no offset of 16 hours or more."""

    def to_python(self, value):
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:  # before the year 1, or after 9999
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Narrows by a moment."""

    field_class = MomentField


class AnalysisFilter(django_filters.FilterSet):
    """What a list of analyses can be narrowed to."""

    id = IdsFilter(lookup_expr="in")
    status = django_filters.ChoiceFilter(choices=Analysis.Status.choices, empty_label="Any")
    kind = django_filters.ChoiceFilter(choices=Analysis.Kind.choices, empty_label="Any")
    emotion = django_filters.ChoiceFilter(choices=EMOTION_CHOICES, empty_label="Any")
    model_version = django_filters.NumberFilter("model_version__number")
    created_after = MomentFilter("created_at", lookup_expr="gte")
    created_before = MomentFilter("created_at", lookup_expr="lt")
    text = django_filters.CharFilter(
        method="with_text", label="in title, notes or tags", max_length=LONGEST_TEXT
    )

    def with_text(self, queryset, name, value):
        return queryset.filter(search_text__contains=searchable(value))


class HistoryFilter(AnalysisFilter):
    """The same for people: whole days in UTC, the last one included, and a list of versions."""

    model_version = django_filters.ModelChoiceFilter(
        queryset=ModelVersion.objects.all(), to_field_name="number", empty_label="Any"
    )
    since = django_filters.DateFilter(method="from_day")
    until = django_filters.DateFilter(method="to_day")

    def from_day(self, queryset, name, value):
        return queryset.filter(created_at__gte=beginning(value))

    def to_day(self, queryset, name, value):
        return queryset.filter(created_at__lte=datetime.combine(value, time.max, UTC))

    def asked(self) -> dict[str, str]:
        """What narrows the history, as in its address; filters that are not valid left out."""
        wrong = self.form.errors
        return {
            name: self.form.data[name]
            for name in self.form.fields
            if self.form.data.get(name) and name not in wrong
        }

    def in_use(self) -> int:
        """How many filters narrow the history, the text not counted."""
        values = self.form.cleaned_data if self.form.is_valid() else {}
        return sum(1 for name, value in values.items() if value and name != "text")


def beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
