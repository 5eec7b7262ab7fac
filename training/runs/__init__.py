"""Training runs: start, follow, resume, register."""
