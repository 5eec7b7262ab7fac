"""Python client for Mien's REST API."""

from mien_client.client import Analysis, Face, Mien, MienError, Track

__all__ = ["Analysis", "Face", "Mien", "MienError", "Track"]
