"""Serializers that give the states of recognition.events, and how the description shows them."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import resolve_type_hint
from rest_framework import serializers


class StateSerializer(serializers.BaseSerializer):
    """A row as a TypedDict of recognition.events. Read only."""

    state: type


class StateSchema(OpenApiSerializerExtension):
    """A state's TypedDict as a component of the API's description."""

    target_class = StateSerializer
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: str) -> str:
        return self.target.__class__.__name__.removesuffix("Serializer")

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        return resolve_type_hint(self.target.state)
