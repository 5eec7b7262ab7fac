"""The history in numbered pages."""

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property


class HistoryPaginator(Paginator):
    """Pages of analyses that come quickly however far back they are.

    The index alone tells which rows belong to a page; only these are read.
    """

    @cached_property
    def count(self) -> int:
        # A search that finds little has looked at everything: it need not be done again.
        found = len(self.first_keys)
        return found if found < self.per_page else super().count

    def page(self, number) -> Page:
        number = self.validate_number(number)
        keys = self.first_keys if number == 1 else self.keys((number - 1) * self.per_page)
        rows = self.object_list.model.objects.in_bulk(keys)
        return self._get_page([rows[key] for key in keys if key in rows], number, self)

    @cached_property
    def first_keys(self) -> list:
        return self.keys(0)

    def keys(self, start: int) -> list:
        """The primary keys of the page that begins with the row at `start`."""
        return list(self.object_list.values_list("pk", flat=True)[start : start + self.per_page])
