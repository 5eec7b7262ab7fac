"""Static files with hashed names, including ES modules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class RuntimeFinder(BaseFinder):
    """Finds what runs networks in browsers: three files of an npm package of 139 MB."""

    folder = Path(__file__).parent.parent / "node_modules/onnxruntime-web/dist"
    prefix = "vendor/onnxruntime-web"
    names = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")

    def find(self, path: str, find_all: bool = False) -> Any:
        """The file with this static path, or all in a list; an empty list if there is none."""
        found = [
            str(self.folder / name) for name in self._present() if path == f"{self.prefix}/{name}"
        ]
        return found if find_all or not found else found[0]

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        """Each file's name, and the storage that has it."""
        storage = FileSystemStorage(location=self.folder)
        storage.prefix = self.prefix  # type: ignore[attr-defined]  # where collectstatic puts it
        for name in self._present():
            if not matches_patterns(name, ignore_patterns):
                yield name, storage

    def check(self, **kwargs: Any) -> Any:
        """Nothing to configure, nothing to complain about."""
        return []

    def _present(self) -> Iterator[str]:
        # Absent in images, whose static files were collected at build time.
        return (name for name in self.names if (self.folder / name).is_file())


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites imports between ES modules, so every file can be cached forever."""

    support_js_module_import_aggregation = True

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Without Brotli, whether it is installed or not: it delays the first start by a minute."""
        return Compressor(use_brotli=False, **kwargs)
