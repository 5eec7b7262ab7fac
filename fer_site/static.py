"""Static files with hashed names, including ES modules."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites imports between ES modules, so every file can be cached forever."""

    support_js_module_import_aggregation = True

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Without Brotli, whether it is installed or not: it delays the first start by a minute."""
        return Compressor(use_brotli=False, **kwargs)
