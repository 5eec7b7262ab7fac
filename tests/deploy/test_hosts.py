"""One site on several hosts without a shared folder, and what happens when they lose each other."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from mien_client import Mien
from mien_client.live import stream

from tests.deploy import hosts
from tests.deploy.hosts import Host, Stores, nginx_config
from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import wait_until
from tests.recognition.engine.clips import astronaut, write
from tests.training.drawing import write_csv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(hosts.what_is_missing()), reason=hosts.what_is_missing() or "-"),
]

PHOTOS = 40
OUTAGE = 20  # seconds


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Stores, a web host behind nginx, and two hosts of workers."""
    list(hosts.clean_up())
    folder = tmp_path_factory.mktemp("hosts")
    stores = Stores(folder)
    web, first, second = made = [Host(number, folder) for number in (2, 3, 4)]
    shared = stores.environment()
    try:
        for command in ("migrate", "register_shipped_model"):
            done = web.run("setup", hosts.sys.executable, "manage.py", command, **shared)
            assert done.popen.wait(120) == 0, done.log.read_text()
        collect = ["collectstatic", "--noinput", "-v0"]
        done = web.run("static", hosts.sys.executable, "manage.py", *collect, **shared)
        assert done.popen.wait(120) == 0, done.log.read_text()
        uvicorn = [hosts.sys.executable, "-m", "uvicorn", "fer_site.asgi:application"]
        uvicorn += ["--host", "127.0.0.1", "--port", "8000", "--lifespan", "off"]
        uvicorn += ["--no-access-log", "--ws-max-size", "4194304"]
        web.run("web", *uvicorn, **shared, MIEN_TRUSTED_PROXIES="1")
        config = nginx_config(web.folder, f"{web.address}:8080", "127.0.0.1:8000")
        web.run("nginx", "nginx", "-c", str(config))
        beat = [hosts.sys.executable, "-m", "celery", "-A", "fer_site.celery:app", "beat"]
        beat += ["--schedule", str(web.folder / "beat"), "--pidfile=", "-l", "INFO"]
        web.run("beat", *beat, **shared, MIEN_ROLE="beat")
        web.worker("exports,webhooks", role="exports", pool="threads", **shared)
        for host in (first, second):
            host.worker("analyses,maintenance", role="analyses", **shared)
        first.worker("frames", role="frames", pool="solo", **shared)
        second.worker("videos", role="videos", pool="threads", **shared)
        second.worker("training", role="training", pool="solo", **shared)
        url = f"http://{web.address}:8080"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/health/").is_success
            except httpx.TransportError:
                return False

        wait_until(answers, f"the site, see {web.folder}")
        yield url, stores, made
    finally:
        for host in made:
            host.remove()
        stores.remove()


@pytest.fixture(scope="module")
def key(site) -> str:
    visitor = Visitor(site[0])
    visitor.set_up()
    body = json.dumps({"name": "hosts", "scopes": ["read", "analyze", "train"]}).encode()
    return json.loads(
        visitor.request("/api/v1/keys/", body, **{"Content-Type": "application/json"})
    )["key"]


def test_every_journey_works_across_hosts(site, key, tmp_path):
    url, _stores, made = site
    with Mien(url, key) as mien:
        photo = mien.analyze(SAMPLE)
        assert photo.faces
        clip = write(tmp_path / "clip.mp4", (astronaut(n / 10) for n in range(30)), rate=10)
        video = mien.analyze_video(clip)
        assert (video.error, len(video.tracks)) == (None, 1)
        replies = list(stream(url, key, str(clip), rate=5))
        assert len(replies) == 15
        # One worker alone may be too slow for a frame, which is left out then.
        assert {reply["type"] for reply in replies} <= {"frame.result", "frame.skipped"}
        assert sum(reply["type"] == "frame.result" for reply in replies) > 5
        table = tmp_path / "faces.csv"
        mien.export(table)
        assert photo.id in table.read_text()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers) as client:
        ready = client.get("/health/ready/").json()
        names = ("database", "redis", "storage", "disk", "workers")
        assert ready == {"status": "ok", "checks": dict.fromkeys(names, "ok")}
    for host in made:
        assert not list((host.folder / "data" / "media").rglob("*")), "a file stayed on a host"


def test_a_training_and_a_promotion_reach_every_host(site, key, tmp_path):
    url, stores, (web, first, second) = site
    faces = write_csv(tmp_path / "faces.csv.gz", count=280)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/api/v1/", headers=headers, timeout=60) as client:

        def ended(address: str) -> dict | None:
            state = client.get(address).json()
            assert state["status"] not in ("failed", "canceled"), state
            return state if state["status"] == "succeeded" else None

        # Taken in by the web host, checked by one of two, trained by the second.
        with faces.open("rb") as file:
            dataset = client.post("datasets/", files={"data": file}).json()["id"]
        wait_until(lambda: ended(f"datasets/{dataset}/"), "the check of the data", 120)
        choices = {"dataset": dataset, "preset": "quick", "epochs": 2, "batch_size": 16}
        choices |= {"architecture": "mini_xception", "precision": "float32", "validation": 0.1}
        begun = client.post("training-runs/", json=choices)
        assert begun.is_success, begun.text
        run = f"training-runs/{begun.json()['id']}/"
        wait_until(lambda: ended(run), f"the training, see {second.folder}", 300)
        version = client.get(run).json()["model_version"]
        assert version == 2

        promoted = client.post(f"models/{version}/promote/", json={"confirmed": True})
        assert promoted.status_code == 200, promoted.text
    seen: dict[str, set[int]] = {}

    def both_use_it() -> bool:
        with Mien(url, key) as mien:
            mien.analyze(SAMPLE)
        rows = stores.postgres.rows(
            "SELECT worker, v.number FROM recognition_analysis a JOIN recognition_modelversion v "
            "ON v.id = a.model_version_id WHERE kind = 'image' ORDER BY a.created_at DESC LIMIT 1"
        )
        seen.setdefault(rows[0][0], set()).add(rows[0][1])
        return sum(version in used for used in seen.values()) == 2

    wait_until(both_use_it, f"both hosts, so far {seen}", 120)
    for host in (web, first):
        assert not list((host.folder / "data" / "training").rglob("checkpoint*"))


def test_outages_lose_nothing_and_repeat_nothing(site, key, tmp_path):
    url, stores, (_web, first, _second) = site
    before = stores.postgres.rows("SELECT count(*) FROM recognition_analysis")[0][0]
    clip = write(tmp_path / "clip.mp4", (astronaut(n / 10) for n in range(100)), rate=10)

    def trouble() -> None:
        first.cut_off()
        time.sleep(OUTAGE)
        first.bring_back()
        time.sleep(3)
        stores.postgres.stop()
        time.sleep(OUTAGE)
        stores.postgres.start()
        time.sleep(3)
        stores.stop_redis()
        time.sleep(OUTAGE)
        stores.start_redis()

    def send(number: int) -> str:
        time.sleep(2 * number / 3)  # spread over the outages
        with Mien(url, key, retry_seconds=180) as mien:
            return mien.analyze(SAMPLE.read_bytes(), title=f"{number}.jpg", timeout=300).id

    def send_video() -> str:
        with Mien(url, key, retry_seconds=180) as mien:
            return mien.analyze_video(clip, title="clip", timeout=400).id

    with ThreadPoolExecutor(8) as pool:
        video = pool.submit(send_video)
        sent = pool.map(send, range(PHOTOS))
        trouble()  # in this thread: PostgreSQL ends with the one that starts it
        photos = list(sent)
        assert video.result()
    assert len(set(photos)) == PHOTOS
    rows = stores.postgres.rows("SELECT status, count(*) FROM recognition_analysis GROUP BY status")
    assert rows == [("succeeded", before + PHOTOS + 1)]
    twice = stores.postgres.rows(
        "SELECT title FROM recognition_analysis WHERE title ~ '^[0-9]+[.]jpg$' "
        "GROUP BY title HAVING count(*) > 1"
    )
    assert not twice
    counted = stores.postgres.rows(
        "SELECT count(*) FROM recognition_analysis a WHERE kind = 'image' AND face_count <> "
        "(SELECT count(*) FROM recognition_face f WHERE f.analysis_id = a.id)"
    )
    assert counted == [(0,)]
    times = stores.postgres.rows(
        "SELECT count(*), count(DISTINCT frame) FROM recognition_face "
        f"WHERE analysis_id = '{video.result()}'"
    )
    assert times[0][0] == times[0][1] == 50
