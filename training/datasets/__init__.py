"""Data sets: added, checked, deleted."""
