"""The environment of a test run, set before Django reads its settings (pytest loads this first)."""

import atexit
import os
import shutil
import tempfile

# A short path, because Redis's socket is in it.
data_dir = tempfile.mkdtemp(prefix="mien-test-")
os.mkdir(os.path.join(data_dir, "static"))
atexit.register(shutil.rmtree, data_dir, ignore_errors=True)

os.environ["MIEN_DATA"] = data_dir
os.environ["DJANGO_SETTINGS_MODULE"] = "fer_site.settings"
os.environ.pop("REDIS_URL", None)
os.environ["MIEN_LEASE_SECONDS"] = "3"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MIEN_PRECISION"] = "float32"  # the same answers on every machine
