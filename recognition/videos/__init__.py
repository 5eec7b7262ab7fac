"""Videos: uploaded in pieces, read by several workers at once, replayed with their expressions."""
