"""Receives uploaded files: in memory if small, never beyond the size limit."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class LimitedUpload(UploadedFile):
    """An uploaded file; if `too_large`, its bytes beyond the limit were dropped."""

    size: int
    name: str
    too_large = False


class LimitedUploadHandler(FileUploadHandler):
    """Counts the bytes of each file while they stream in and keeps at most the limit.

    A file that is too large is only marked here, so the other files of the request are still
    accepted.
    """

    @property
    def limit(self) -> int:
        """The largest file in bytes."""
        return settings.MAX_UPLOAD_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0
        in_memory = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        self.file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 handed over

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size <= self.limit:
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        upload = LimitedUpload(
            self.file, self.file_name, self.content_type, file_size, self.charset
        )
        upload.too_large = file_size > self.limit
        return upload

    def upload_interrupted(self) -> None:
        if file := getattr(self, "file", None):
            file.close()
