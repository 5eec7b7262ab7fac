"""Model versions: files, cards, trial, comparison and promotion."""
