"""Columns that follow from others and exist so that long lists are read quickly.

Each is worked out when its row is inserted, whoever inserts it, so that none can be forgotten.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.db import models


def searchable(text: str) -> str:
    """A text without differences of case and of the ways to write a character."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_text(title: str, notes: str, tags: Sequence[str]) -> str:
    """What an analysis is found by; its parts stand on lines of their own."""
    return searchable("\n".join([title, *tags, notes]))


class SearchTextField(models.TextField):
    """Title, tags and notes of an analysis; an UPDATE of these has to write it as well."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        instance = model_instance
        text = search_text(instance.title, instance.notes, instance.tags)
        setattr(instance, self.attname, text)
        return text


class CopiedOwnerField(models.ForeignKey):
    """The owner of the row's analysis, who never changes."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        owner_id = model_instance.analysis.owner_id
        setattr(model_instance, self.attname, owner_id)
        return owner_id
