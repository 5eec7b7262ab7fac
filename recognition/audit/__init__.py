"""Audit: who did what, and who looked at which picture."""
