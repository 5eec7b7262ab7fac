"""A client of Mien's REST API: photos in, the expressions of their faces out."""

from mien_client.client import Analysis, Face, Mien, MienError

__all__ = ["Analysis", "Face", "Mien", "MienError"]
