"""The logic in the settings."""

import stat

from django.core.files.base import ContentFile

from fer_site import settings
from fer_site.static import HashedStaticFilesStorage


def test_collected_static_files_can_be_read_by_every_account(tmp_path):
    options = settings.STORAGES["staticfiles"]["OPTIONS"]
    storage = HashedStaticFilesStorage(tmp_path / "static", "/static/", **options)
    storage.save("css/shared/mien.css", ContentFile(b""))

    assert stat.S_IMODE((tmp_path / "static" / "css").stat().st_mode) == 0o755
    assert (
        stat.S_IMODE((tmp_path / "static" / "css" / "shared" / "mien.css").stat().st_mode) == 0o644
    )
