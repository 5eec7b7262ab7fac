"""Webhooks: signed, retried until accepted, never sent to forbidden addresses."""

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recognition.history import export_requests
from recognition.jobs import workers
from recognition.models import Analysis, Delivery, Export, Webhook
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from recognition.programs import tasks, webhooks
from tests.processes import ROOT, start_worker, wait_until
from tests.recognition.uploads import submit

URL = "/api/v1/webhooks/"


class Listener:
    """A web server that records requests and gives configured responses."""

    def __init__(self):
        self.heard, self.status, self.drips = [], 200, ""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((self.path, dict(self.headers), body))
                self.drip("head")
                self.send_response(listener.status)
                if listener.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(b"thanks")
                self.drip("body")

            def drip(self, part):
                while listener.drips == part:
                    self.wfile.write(b".")
                    time.sleep(0.05)

            def log_message(self, *arguments):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener(settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8", "::1/128"]
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


@pytest.fixture
def exports_worker(transactional_db, redis_server, tmp_path):
    """The worker that sends webhooks, configured as in production but with two threads."""
    environment = {
        "MIEN_TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "MIEN_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    log = tmp_path / "worker.log"
    process = start_worker(log, "exports,webhooks", "threads", children=2, **environment)
    yield process
    process.kill()
    redis_server.client.flushdb()


@pytest.fixture
def webhook(user, listener):
    listener.url = listener.url.replace("localhost", "127.0.0.1")
    return webhooks.create(user, listener.url)


def finish_one(user, content) -> Delivery:
    photo_tasks.analyze(str(submit(user, content).pk))
    return Delivery.objects.latest("id")


def send_due() -> None:
    for pk in webhooks.take_due():
        webhooks.deliver(pk)


def test_the_end_of_an_analysis_is_told_with_its_faces(user, webhook, listener, astronaut):
    delivery = finish_one(user, astronaut)
    send_due()
    ((path, headers, body),) = listener.heard
    told = json.loads(body)
    assert path == "/hook?a=1"
    assert headers["Mien-Event"] == told["type"] == "analysis.succeeded"
    assert len(told["analysis"]["faces"]) == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.response_status) == ("delivered", 200)
    assert delivery.response == "thanks"


def test_a_failure_is_told_too(user, webhook, astronaut):
    delivery = finish_one(user, astronaut[: len(astronaut) // 2])
    assert delivery.event == "analysis.failed"
    assert delivery.body["analysis"]["error"]["code"]


def test_the_signature_covers_time_and_body(user, webhook, listener, astronaut):
    finish_one(user, astronaut)
    send_due()
    ((_, headers, body),) = listener.heard
    fields = dict(part.split("=") for part in headers["Mien-Signature"].split(","))
    signed = f"{fields['t']}.".encode() + body
    wanted = hmac.new(webhook.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert fields["v1"] == wanted


def test_what_is_not_heard_is_sent_again_later(user, webhook, listener, astronaut):
    listener.status = 500
    delivery = finish_one(user, astronaut)
    send_due()
    send_due()  # not due yet
    assert len(listener.heard) == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 1)

    listener.status = 204
    Delivery.objects.update(next_attempt_at=timezone.now())
    send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("delivered", 2)


def test_a_delivery_is_given_up_after_its_last_attempt(user, webhook, listener, astronaut):
    listener.status = 500
    delivery = finish_one(user, astronaut)
    for _ in range(10):
        Delivery.objects.filter(status="pending").update(next_attempt_at=timezone.now())
        send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("failed", 7)


def test_a_redirect_is_not_followed(user, webhook, listener, astronaut):
    listener.status = 302
    finish_one(user, astronaut)
    send_due()
    assert [path for path, _, _ in listener.heard] == ["/hook?a=1"]


def test_an_answer_that_drips_is_left_at_the_deadline(
    user, webhook, listener, astronaut, monkeypatch
):
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.3)
    listener.drips = "body"
    delivery = finish_one(user, astronaut)
    started = time.monotonic()
    send_due()
    assert time.monotonic() - started < 5
    listener.drips = ""
    delivery.refresh_from_db()
    assert (delivery.status, delivery.response[:9]) == ("delivered", "thanks...")


def test_an_attempt_out_of_time_has_failed(user, webhook, listener, astronaut, monkeypatch):
    monkeypatch.setattr(webhooks, "ATTEMPT_SECONDS", 0.3)
    listener.drips = "head"
    delivery = finish_one(user, astronaut)
    send_due()
    listener.drips = ""
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert delivery.response == "The response took too long."
    assert delivery.next_attempt_at > timezone.now()


def test_a_delivery_is_not_taken_again_while_its_message_may_be_carried_out():
    assert tasks.deliver.expires + webhooks.ATTEMPT_SECONDS < webhooks.TAKEN_SECONDS


def test_a_receiver_that_does_not_answer_holds_up_no_export(
    exports_worker, user, webhook, listener, astronaut
):
    listener.drips = "body"
    finish_one(user, astronaut)
    tasks.deliver_due()
    wait_until(lambda: listener.heard, "the delivery")
    export = export_requests.request_export(user, "csv", {})
    wait_until(lambda: Export.objects.get(pk=export.pk).status == "succeeded", "the export")
    (worker,) = workers.ask_workers()
    listener.drips = ""

    assert worker["processes"] == [exports_worker.popen.pid]
    assert "recognition.tasks.deliver" in [task["name"] for task in worker["tasks"]]
    wait_until(lambda: Delivery.objects.get().status == "delivered", "the answer")


@pytest.mark.parametrize("layout", ["deploy/supervisord.conf", "docker-compose.yml"])
def test_only_the_worker_of_exports_sends_webhooks(layout):
    queue = settings.CELERY_TASK_ROUTES["recognition.tasks.deliver"]["queue"]
    commands = re.findall(r"-Q (\S+)\s+-P (\w+)", (ROOT / layout).read_text())
    assert [one for one in commands if queue in one[0].split(",")] == [
        ("exports,webhooks", "threads")
    ]


def test_an_attempt_that_ends_its_worker_counts(user, webhook, astronaut, monkeypatch):
    def end_the_worker(delivery):
        raise SystemExit

    monkeypatch.setattr(webhooks, "post", end_the_worker)
    delivery = finish_one(user, astronaut)
    for _ in range(len(webhooks.PAUSES) + 1):
        with pytest.raises(SystemExit):
            webhooks.deliver(delivery.pk)
    webhooks.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("failed", 7)


def test_an_address_nobody_listens_at_is_noted(user, webhook, astronaut):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        Webhook.objects.update(url=f"http://127.0.0.1:{free.getsockname()[1]}/")
    delivery = finish_one(user, astronaut)
    send_due()
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert delivery.response


def test_two_workers_do_not_take_the_same_delivery(user, webhook, astronaut):
    finish_one(user, astronaut)
    assert len(webhooks.take_due()) == 1
    assert webhooks.take_due() == []


def test_a_delivery_whose_worker_died_is_taken_again(user, webhook, astronaut):
    finish_one(user, astronaut)
    webhooks.take_due()
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert len(webhooks.take_due()) == 1


def test_an_inactive_webhook_hears_nothing(user, webhook, astronaut):
    Webhook.objects.update(active=False)
    photo_tasks.analyze(str(submit(user, astronaut).pk))
    assert not Delivery.objects.exists()


def test_what_waits_for_a_paused_webhook_is_sent_when_it_goes_on(
    user, webhook, listener, astronaut
):
    taken, _ = finish_one(user, astronaut), finish_one(user, astronaut)
    Webhook.objects.update(active=False)
    assert webhooks.take_due() == []
    webhooks.deliver(taken.pk)  # its message was sent before the pause
    assert listener.heard == []

    Webhook.objects.update(active=True)
    send_due()
    assert len(listener.heard) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::a01:203]/",
        "http://[2002:a01:203::1]/",
        "http://[::10.1.2.3]/",
        "http://10.1.2.3/",
        "http://192.168.0.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://100.64.0.1/",
        "http://2130706433/",
        "ftp://example.org/",
        "http://user:secret@93.184.216.34/",
        "http://name.invalid/",
        "http://☃.net/",
        "http://xn--0.com/",
    ],
)
def test_addresses_that_are_not_public_are_refused(signed_in, url):
    response = signed_in.post(URL, {"url": url}, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "url"
    assert not Webhook.objects.exists()


def test_a_name_that_became_private_is_not_sent_to(user, webhook, listener, astronaut, settings):
    settings.WEBHOOK_NETWORKS = []  # as if the name had resolved differently when checked
    delivery = finish_one(user, astronaut)
    send_due()
    delivery.refresh_from_db()
    assert listener.heard == []
    assert "n't a public address" in delivery.response


@pytest.mark.parametrize("url", ["http://☃.net/", "http://xn--0.com/"])
def test_a_name_that_no_server_can_have_is_noted(user, webhook, astronaut, url):
    Webhook.objects.update(url=url)
    delivery = finish_one(user, astronaut)
    send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert delivery.response == "This isn't a valid server name."


def test_a_public_address_is_accepted_and_its_secret_shown(signed_in):
    response = signed_in.post(URL, {"url": "https://8.8.8.8/x"}, content_type="application/json")
    assert response.status_code == 201
    assert len(response.json()["secret"]) > 30


def test_the_log_and_the_resend_button(signed_in, user, webhook, listener, astronaut):
    delivery = finish_one(user, astronaut)
    send_due()
    (logged,) = signed_in.get(f"{URL}{webhook.pk}/deliveries/").json()["results"]
    assert (logged["id"], logged["status"]) == (delivery.pk, "delivered")

    response = signed_in.post(f"/api/v1/deliveries/{delivery.pk}/resend/")
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    send_due()
    assert len(listener.heard) == 2


def test_old_log_entries_are_forgotten(user, webhook, astronaut):
    finish_one(user, astronaut)
    send_due()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    webhooks.forget_old()
    assert not Delivery.objects.exists()


def test_what_is_deleted_is_not_kept_for_webhooks(user, webhook, astronaut):
    deleted, kept = finish_one(user, astronaut), finish_one(user, astronaut)
    analyses.delete_analysis(Analysis.objects.get(pk=deleted.body["analysis"]["id"]))
    assert Delivery.objects.get() == kept


def test_a_delivery_deleted_while_it_is_sent_stays_deleted(user, webhook, astronaut, monkeypatch):
    delivery = finish_one(user, astronaut)

    def delete_meanwhile(sent):
        analyses.delete_analysis(Analysis.objects.get())
        return 200, ""

    monkeypatch.setattr(webhooks, "post", delete_meanwhile)
    webhooks.deliver(delivery.pk)
    assert not Delivery.objects.exists()
