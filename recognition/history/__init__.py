"""What a person has analyzed: lists, filters, statistics and exports."""
