"""The socket of trainings: only for current administrators."""

import pytest
from asgiref.sync import sync_to_async

from recognition.feed import NOT_SIGNED_IN
from recognition.registry import registry
from tests.recognition.networks import network, shipped_card
from tests.recognition.test_consumers import deactivate, sign_out, socket_of
from tests.training.conftest import started
from training.runs import runs

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

PATH = "/ws/training/"


async def test_an_administrator_hears_of_every_change(admin, dataset):
    sockets = [await socket_of(admin, path=PATH) for _ in range(2)]
    for socket in sockets:
        await socket.connect()
    run = await sync_to_async(started)(admin, dataset)
    await sync_to_async(runs.cancel)(run)
    heard = [[await socket.receive_json_from(timeout=5) for _ in range(2)] for socket in sockets]
    for socket in sockets:
        await socket.disconnect()

    assert heard[0] == heard[1]
    assert [event["type"] for event in heard[0]] == ["run.changed"] * 2
    assert [event["run"]["status"] for event in heard[0]] == ["queued", "canceled"]
    assert heard[0][0]["run"]["sequence"] < heard[0][1]["run"]["sequence"]


async def test_an_administrator_hears_that_the_models_have_changed(admin):
    await sync_to_async(registry.register_shipped_model)()
    socket = await socket_of(admin, path=PATH)
    await socket.connect()
    version = await sync_to_async(registry.register)(network(), shipped_card())
    await sync_to_async(registry.promote)(version, confirmed=True)
    await sync_to_async(registry.roll_back)()
    await sync_to_async(registry.archive)(version)
    heard = [await socket.receive_json_from(timeout=5) for _change in range(4)]
    await socket.disconnect()

    assert heard == [{"type": "models.changed"}] * 4


@pytest.mark.parametrize("known", [True, False])
async def test_nobody_else_is_let_in(user, known):
    socket = await socket_of(user if known else None, path=PATH)
    await socket.connect()
    closed = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert closed == {"type": "websocket.close", "code": NOT_SIGNED_IN}


def take_away_the_role(person):
    type(person).objects.filter(pk=person.pk).update(is_staff=False)


@pytest.mark.parametrize("end", [sign_out, deactivate, take_away_the_role])
async def test_a_socket_closes_soon_after_its_person_may_no_longer(admin, end):
    socket = await socket_of(admin, path=PATH)
    await socket.connect()
    await sync_to_async(end)(admin)
    heard = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert heard == {"type": "websocket.close", "code": NOT_SIGNED_IN}


async def test_where_it_is_asked_for_an_administrator_needs_a_second_factor(admin, settings):
    settings.STAFF_MFA = True
    socket = await socket_of(admin, path=PATH)
    await socket.connect()
    closed = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert closed == {"type": "websocket.close", "code": NOT_SIGNED_IN}
