"""What uploads of photos and of videos have in common: title, tags, project, and what is kept."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from recognition.api.people import check_consent
from recognition.models import Analysis


class UploadOptions(serializers.Serializer):
    """Form fields, or query parameters beside a raw body."""

    title = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="instead of the file's name"
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=20, default=list
    )
    keep = serializers.ChoiceField(
        Analysis.Keep.choices,
        default=Analysis.Keep.PICTURE,
        help_text="what is stored beside the numbers: the picture, the picture with every face "
        "blurred, or nothing",
    )
    project = serializers.CharField(
        max_length=50,
        allow_blank=True,
        default="",
        help_text="the project that this is for: you must have accepted its text, and the entry "
        "gets its name as a tag",
    )


def agreed(request: Request, options: dict[str, Any]) -> dict[str, Any]:
    """The options of an upload to which its sender has agreed, with the project as a tag.

    Raises Problem: consent_needed, unknown_project.
    """
    project = options.pop("project")
    check_consent(request, project)
    if project and project not in options["tags"]:
        options["tags"] = [*options["tags"], project]
    return options
