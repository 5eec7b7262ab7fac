"""The history in numbered pages."""

from typing import cast
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from recognition.models import Analysis


class HistoryPaginator(Paginator):
    """Pages of analyses that load quickly however far back they are.

    The index alone finds the rows of a page; only these are read.
    """

    @cached_property
    def count(self) -> int:
        # A search with few results has read everything already; no need to repeat it.
        found = len(self.first_keys)
        return found if found < self.per_page else super().count

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        keys = self.first_keys if number == 1 else self.keys((number - 1) * self.per_page)
        rows = Analysis.objects.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    @cached_property
    def first_keys(self) -> list[UUID]:
        return self.keys(0)

    def keys(self, start: int) -> list[UUID]:
        """The primary keys of the page that starts at row `start`."""
        found = cast("QuerySet[Analysis]", self.object_list).values_list("pk", flat=True)
        return list(found[start : start + self.per_page])
