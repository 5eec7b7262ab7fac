"""The answer to OPTIONS."""

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

if TYPE_CHECKING:  # the framework loads this module before its views
    from rest_framework.views import APIView


class AllowedMethods(BaseMetadata):
    """What an address is for, and which methods and bodies it takes.

    Without the fields of its serializers, which the API's description has: those that show a state
    have none.
    """

    def determine_metadata(self, request: Request, view: "APIView") -> dict[str, Any]:
        return {
            "name": view.get_view_name(),
            "description": view.get_view_description(),
            "methods": view.allowed_methods,
            "parses": [parser.media_type for parser in view.parser_classes],
            "renders": [renderer.media_type for renderer in view.renderer_classes],
        }
