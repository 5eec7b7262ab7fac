"""Data sets: uploaded or named, checked, deleted."""
