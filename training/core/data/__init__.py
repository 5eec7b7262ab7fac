"""Labelled faces: read from the files people have, cached, inspected, and cut into parts."""
