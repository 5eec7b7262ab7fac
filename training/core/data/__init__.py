"""Labeled faces: read from the files people have, cached, inspected, and split into parts."""
