"""A promotion in the middle of 200 uploads: `make bench-promotion`.

Starts a whole site, imports a second version (the shipped network with a different text in its
file), uploads photos over a few connections, and promotes the second version after a quarter of
them. No upload may fail, the version must switch once, and photos that start 2 s later must use
the new one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.site import Site, running_site
from benchmarks.uploads import CONNECTIONS, Listener, photo, upload
from tests.recognition.networks import shipped_twin

LIMIT = timedelta(seconds=2)


def manage(site: Site, *arguments: str) -> None:
    command = [sys.executable, "manage.py", "models", *arguments]
    environment = os.environ | {"MIEN_DATA": site.data_dir}
    subprocess.run(command, env=environment, check=True, capture_output=True)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=200)
    count = parser.parse_args().photos
    photos = [photo(640, 640, seed) for seed in range(count)]
    with running_site() as site, tempfile.TemporaryDirectory() as folder:
        client = site.sign_in()
        listener = Listener(site, client)
        twin = Path(folder, "twin.onnx")
        twin.write_bytes(shipped_twin("another version"))
        manage(site, "import", str(twin))
        quarter = threading.Event()
        promoted: list[datetime] = []

        def promote() -> None:
            quarter.wait()
            promoted.append(datetime.now(UTC))
            manage(site, "promote", "2", "--confirm")
            promoted.append(datetime.now(UTC))

        promoting = threading.Thread(target=promote)
        promoting.start()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            uploads = [pool.submit(upload, client, content) for content in photos]
            listener.wait_for(count // 4)  # fails at the first failed analysis
            quarter.set()
            listener.wait_for(count)
            results = [client.get(one.result()).json() for one in uploads]
        promoting.join()

    began, done = promoted
    versions = Counter(result["model_version"] for result in results)
    results.sort(key=lambda result: moment(result["started_at"]))
    new = [result for result in results if result["model_version"] == 2]
    mixed = [
        result
        for result in results
        if (result["model_version"] == 2 and moment(result["finished_at"]) < began)
        or (result["model_version"] == 1 and moment(result["started_at"]) > done + LIMIT)
    ]
    print(f"{count} photos of 640 pixels over {CONNECTIONS} connections, promotion at a quarter")
    print(f"  failures 0, by version {dict(sorted(versions.items()))}, out of place {len(mixed)}")
    print(f"  the command took {(done - began).total_seconds():.1f} s")
    if new:
        first = moment(new[0]["started_at"]) - done
        print(f"  first job of version 2 began {first.total_seconds():+.2f} s after its end")
    return 0 if set(versions) == {1, 2} and not mixed else 1


if __name__ == "__main__":
    sys.exit(main())
