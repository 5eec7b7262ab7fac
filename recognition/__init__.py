"""Photos, faces and their expressions: the Django app and the engine behind it."""
