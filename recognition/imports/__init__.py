"""Photos and videos that are on the server already: folders, zips and buckets of any size."""
