"""Exports over the API: request, progress, download, cancel, delete, limits."""

import pytest
from django.test import Client

from recognition.api import keys
from recognition.history import export_requests
from recognition.history import tasks as export_tasks
from recognition.models import Export
from tests.recognition import histories

EXPORTS = "/api/v1/exports/"


def ask(client, **values):
    return client.post(EXPORTS, {"format": "csv", **values}, content_type="application/json")


def test_from_the_request_to_the_file(signed_in, user):
    analysis = histories.photo(user, faces=2)
    answer = ask(signed_in, format="jsonl", filters={"emotion": "happy", "model_version": 1})
    assert answer.status_code == 202
    state = answer.json()
    assert (state["status"], state["file_url"]) == ("queued", None)
    assert state["filters"] == {"emotion": "happy", "model_version": "1"}
    assert signed_in.get(f"{answer['Location']}file/").json()["code"] == "no_file"

    export_tasks.export(state["id"])
    state = signed_in.get(answer["Location"]).json()
    assert (state["status"], state["rows_done"], state["rows_total"]) == ("succeeded", 2, 2)
    file = signed_in.get(state["file_url"])
    assert file["Content-Type"] == "application/x-ndjson"
    assert file["Content-Disposition"].endswith('.jsonl"')
    assert file.getvalue().count(str(analysis.pk).encode()) == 2
    assert int(file["Content-Length"]) == state["size"]
    assert [one["id"] for one in signed_in.get(EXPORTS).json()["results"]] == [state["id"]]


def test_entries_chosen_by_hand_are_counted_in_the_state(signed_in, user):
    chosen = [str(histories.photo(user).pk) for _ in range(3)]
    state = ask(signed_in, filters={"id": chosen}).json()
    assert (state["selected"], state["filters"]) == (3, {})
    export_tasks.export(state["id"])
    assert Export.objects.get().rows_done == 3


def test_a_key_that_may_read_may_do_it_all(user):
    client = Client(headers={"authorization": f"Bearer {keys.create(user, 'k', ['read'])[1]}"})
    first = ask(client).json()
    assert client.post(f"{EXPORTS}{first['id']}/cancel/").json()["status"] == "canceled"
    assert client.delete(f"{EXPORTS}{first['id']}/").status_code == 204
    second = ask(client).json()
    export_tasks.export(second["id"])
    assert client.get(f"{EXPORTS}{second['id']}/file/").status_code == 200


def test_a_key_that_may_only_upload_may_not(user):
    client = Client(headers={"authorization": f"Bearer {keys.create(user, 'k', ['analyze'])[1]}"})
    assert ask(client).json()["code"] == "not_allowed"


def test_what_was_canceled_can_be_tried_again(signed_in):
    address = f"{EXPORTS}{ask(signed_in).json()['id']}/"
    refused = signed_in.post(f"{address}retry/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_retryable")
    signed_in.post(f"{address}cancel/")
    again = signed_in.post(f"{address}retry/")
    assert (again.status_code, again.json()["status"]) == (202, "queued")

    export_tasks.export(again.json()["id"])
    assert signed_in.get(address).json()["status"] == "succeeded"


def test_there_is_no_room_for_another_try_while_three_are_made(signed_in):
    address = f"{EXPORTS}{ask(signed_in).json()['id']}/"
    signed_in.post(f"{address}cancel/")
    for _ in range(export_requests.MOST_AT_ONCE):
        ask(signed_in)
    refused = signed_in.post(f"{address}retry/")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_exports")
    assert signed_in.get(address).json()["status"] == "canceled"


def test_a_request_that_is_sent_again_makes_one_export(signed_in):
    again = {"headers": {"idempotency-key": "one"}, "content_type": "application/json"}
    first, second = (signed_in.post(EXPORTS, {"format": "csv"}, **again) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first["Location"] == second["Location"]
    assert Export.objects.count() == 1
    other = signed_in.post(EXPORTS, {"format": "jsonl"}, **again)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"format": "ods"}, "format", "invalid_choice"),
        ({"format": "\ud800"}, "format", "invalid_choice"),
        ({"filters": []}, "filters", "not_a_dict"),
        ({"filters": {"emotion": "bored"}}, "filters.emotion", "invalid_choice"),
        ({"filters": {"emotions": "happy"}}, "filters.emotions", "unknown"),
        ({"filters": {"since": "yesterday"}}, "filters.since", "invalid"),
        ({"filters": {"text": {"a": 1}}}, "filters.text", "invalid"),
        ({"filters": {"id": []}}, "filters.id", "empty"),
        ({"filters": {"id": ["x"]}}, "filters.id", "invalid"),
        ({"filters": {"id": ["x"] * 1001}}, "filters.id", "too_many"),
        ({"filters": {"model_version": 99}}, "filters.model_version", "invalid_choice"),
        ({"filters": {"text": "a\0b"}}, "filters.text", "null_characters_not_allowed"),
    ],
)
def test_a_bad_request_names_the_field_and_stores_nothing(signed_in, values, field, code):
    answer = ask(signed_in, **values)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == (field, code)
    assert error["message"]
    assert not Export.objects.exists()


@pytest.mark.parametrize("filters", [{"text": "\ud800"}, {"\ud800": ""}, {"emotion": "\ud800"}])
def test_half_a_character_is_no_trouble_for_the_server(signed_in, filters):
    assert ask(signed_in, filters=filters).status_code in {202, 400}


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01"])
def test_the_last_and_the_first_day_of_all_are_days(signed_in, user, until):
    histories.photo(user)
    state = ask(signed_in, filters={"until": until}).json()
    export_tasks.export(state["id"])
    assert Export.objects.get().rows_done == (1 if until[0] == "9" else 0)


def test_filters_that_are_empty_are_as_none(signed_in):
    assert ask(signed_in, filters={"emotion": "", "text": None}).json()["filters"] == {}


def test_only_so_many_at_once(signed_in, user, other_user):
    Export.objects.create(owner=other_user, format="csv")
    states = [ask(signed_in).json() for _ in range(export_requests.MOST_AT_ONCE)]
    refused = ask(signed_in)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_exports")
    signed_in.post(f"{EXPORTS}{states[0]['id']}/cancel/")
    assert ask(signed_in).status_code == 202


def test_only_so_many_are_kept(signed_in, user, monkeypatch):
    monkeypatch.setattr(export_requests, "MOST_KEPT", 2)
    for _ in range(2):
        export_tasks.export(ask(signed_in).json()["id"])
    refused = ask(signed_in)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_exports")
    assert "delete" in refused.json()["detail"]


def test_a_finished_one_cannot_be_canceled(signed_in, user):
    state = ask(signed_in).json()
    export_tasks.export(state["id"])
    answer = signed_in.post(f"{EXPORTS}{state['id']}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_cancelable")


def test_without_redis_it_waits_for_the_sweeper(signed_in, redis_server):
    redis_server.stop()
    try:
        assert ask(signed_in).status_code == 202
    finally:
        redis_server.start()
    assert Export.objects.get().status == "queued"


def test_a_file_that_has_gone_is_not_there(signed_in, user):
    state = ask(signed_in).json()
    export_tasks.export(state["id"])
    export = Export.objects.get()
    export.file.storage.delete(export.file.name)
    assert signed_in.get(f"{EXPORTS}{state['id']}/file/").status_code == 404
