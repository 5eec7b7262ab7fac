"""Training of the expression classifier: a pure core, and the Django app around it."""
