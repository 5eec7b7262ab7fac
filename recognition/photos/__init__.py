"""Photos: uploaded, analyzed, shown, corrected."""
