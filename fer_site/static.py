"""Static files with hashed names, including ES modules."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites imports between ES modules, so every file can be cached forever."""

    support_js_module_import_aggregation = True
