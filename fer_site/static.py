"""Static files under hashed names, ES modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites the imports between ES modules too, so that every file may be cached for ever."""

    support_js_module_import_aggregation = True
