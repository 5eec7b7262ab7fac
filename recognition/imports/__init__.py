"""Photos that are on the server already: folders and zips, a hundred thousand at a time."""
