"""The history in numbered pages."""

from typing import cast
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from recognition.models import Analysis

MOST_COUNTED = 100_000


class HistoryPaginator(Paginator):
    """Pages of analyses that load quickly however far back they are.

    The index alone finds the rows of a page; only these are read.
    """

    @cached_property
    def count(self) -> int:
        """How many there are, at most MOST_COUNTED: counting a million takes as long as reading
        them."""
        return min(self.counted, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than the pages show."""
        return self.counted > MOST_COUNTED

    @cached_property
    def counted(self) -> int:
        # A search with few results has read everything already; no need to repeat it.
        found = len(self.first_keys)
        if found < self.per_page:
            return found
        rows = cast("QuerySet[Analysis]", self.object_list).order_by()
        return rows[: MOST_COUNTED + 1].count()

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
