"""Lists in pages, by cursors: stable while rows come in, fast however far back."""

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import CursorPagination

ORDERS = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
}


class NewestFirst(CursorPagination):
    """From the newest to the oldest, or with `order=created_at` the other way."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ORDERS["-created_at"]

    def get_ordering(self, request, queryset, view):
        order = request.query_params.get("order") or "-created_at"
        if order not in ORDERS:
            message = f"Order by {' or '.join(sorted(ORDERS))}."
            raise ValidationError({"order": [ErrorDetail(message, "invalid_choice")]})
        return ORDERS[order]

    def get_schema_operation_parameters(self, view):
        order = {"type": "string", "enum": sorted(ORDERS), "default": "-created_at"}
        return [
            *super().get_schema_operation_parameters(view),
            {"name": "order", "in": "query", "required": False, "schema": order},
        ]


class ByNumber(CursorPagination):
    """From the highest number to the lowest."""

    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ("-number",)


class FacesNewestFirst(CursorPagination):
    """The faces that were stored last come first."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = ("-id",)
