"""One file with everything that a site stores, and a site made from it again.

A backup is a tar, if wanted encrypted with age (https://age-encryption.org/v1). In this order it
holds:

    manifest.json            version of the format, migrations, rows per table
    tables/NAME.jsonl        a line with the columns, then one with the values of each row
    files/media/…            stored files; uploads, data sets and checkpoints in folders beside it
    files/secret_key         unless the key comes from the environment
    checksums.json           the SHA-256 of each of the above

Rows are plain JSON, so a site can move from SQLite to PostgreSQL and back. They come from one
moment; the files follow, and one that is deleted meanwhile is left out.
"""
