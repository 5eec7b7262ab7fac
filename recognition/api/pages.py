"""Cursor pagination: stable while rows are added, and fast however far back."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

ORDERS = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
}


class Pages(CursorPagination):
    """The base class of all lists."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, InvalidValue):  # an impossible position
            raise NotFound(self.invalid_cursor_message) from None


class NewestFirst(Pages):
    """Newest first, or oldest first with `order=created_at`."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ORDERS["-created_at"]

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        order = request.query_params.get("order") or "-created_at"
        if order not in ORDERS:
            message = f"Order by {' or '.join(sorted(ORDERS))}."
            raise ValidationError({"order": [ErrorDetail(message, "invalid_choice")]})
        return ORDERS[order]

    def get_schema_operation_parameters(self, view: Any) -> Any:
        order = {"type": "string", "enum": sorted(ORDERS), "default": "-created_at"}
        return [
            *super().get_schema_operation_parameters(view),
            {"name": "order", "in": "query", "required": False, "schema": order},
        ]


class ByNumber(Pages):
    """Highest number first."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ("-number",)


class FacesNewestFirst(Pages):
    """Latest faces first."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = ("-id",)
