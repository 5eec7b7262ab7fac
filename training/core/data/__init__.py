"""Labeled faces: read from the files people have, cached, inspected, split, and given targets."""
