"""Columns derived from others so that long lists load quickly.

Each is computed when its row is inserted, no matter by what, so none can be forgotten.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.db import models


def searchable(text: str) -> str:
    """The text case-folded and Unicode-normalized."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_text(title: str, notes: str, tags: Sequence[str]) -> str:
    """What an analysis is searched by, one part per line."""
    return searchable("\n".join([title, *tags, notes]))


class SearchTextField(models.TextField):
    """Title, tags and notes of an analysis; an UPDATE of any must write this too."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        instance = model_instance
        text = search_text(instance.title, instance.notes, instance.tags)
        setattr(instance, self.attname, text)
        return text


class CopiedOwnerField(models.ForeignKey):
    """The owner of the row's analysis; never changes."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        owner_id = model_instance.analysis.owner_id
        setattr(model_instance, self.attname, owner_id)
        return owner_id
