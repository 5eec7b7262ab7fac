"""Model versions: import, evaluate, compare, promote."""
