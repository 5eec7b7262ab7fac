"""The WebSocket of a live session; implements docs/reference/live-protocol.md."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError

from recognition.engine.types import TrackedFace
from recognition.feed import NOT_SIGNED_IN, TRUSTED_SECONDS
from recognition.jobs.broker import BROKER_TROUBLE
from recognition.live import access, frames, numbers, places, recordings, session
from recognition.live.tasks import enqueue_frame
from recognition.models import ModelVersion

logger = logging.getLogger(__name__)

BAD_FRAMES, NOT_AGREED, IDLE, TOO_LARGE = 4400, 4403, 4408, 4413
TOO_MANY, UNREAD, BUSY = 4429, 4431, 4503
BROKEN = 1011
UNAVAILABLE = "The server's queue can't be reached. The session continues when it is back."
TURN_SECONDS = 0.25  # how often a session checks its timeouts when nothing happens
STORE_SECONDS = 1.0


class LiveConsumer(AsyncWebsocketConsumer):
    """One live session.

    Frames and workers' answers are only stored and wake `run`, which sends all replies.
    """

    # No channel layer: losing Redis must not close the socket.
    channel_layer_alias = "none"
    running: asyncio.Task[None] | None = None
    closing: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # Accepted first: a socket that never opened has no close code.
        await self.accept(access.answered_subprotocol(self.scope))
        owner = await access.owner_of(self.scope)
        if owner is None:
            await self.close(NOT_SIGNED_IN)
            return
        if await access.must_agree_first(owner):
            await self.complain("consent_needed", access.CONSENT_NEEDED)
            await self.close(NOT_AGREED)
            return
        self.owner, self.name, self.line = owner, str(uuid.uuid4()), frames.line()
        if refused := await self.take_place():
            await self.close(refused)
            return
        now = time.monotonic()
        self.session = session.LiveSession(now)
        self.recorder: recordings.Recorder | None = None
        self.kept_url: str | None = None
        self.versions: set[int] = set()  # known ones, of a browser that reads faces itself
        self.storing = asyncio.Lock()  # rows are stored in two places
        self.checked_at = self.stored_at = now
        self.wake = asyncio.Event()
        await self.line.register(self.name, self.take_answer)
        await self.send_message(
            {
                "type": "session.created",
                "protocol": session.PROTOCOL,
                "session": self.name,
                "limits": session.limits(),
                "settings": self.session.settings.to_dict(),
            }
        )
        self.running = asyncio.create_task(self.run())
        self.running.add_done_callback(self.report)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.running is None or self.closing:
            return
        if len(bytes_data or text_data or "") > settings.LIVE_FRAME_BYTES + session.SEQUENCE_BYTES:
            await self.close(TOO_LARGE)
        elif bytes_data is not None:
            self.session.receive(bytes_data, time.monotonic())
            self.wake.set()
        else:
            await self.receive_text(text_data or "")

    async def receive_text(self, text: str) -> None:
        try:
            message = json.loads(text)
            kind = message.pop("type")
            handler = {
                "session.update": self.update,
                "session.close": self.say_goodbye,
                "frame.faces": self.take_faces,
            }[kind]
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            await self.complain(
                "bad_message",
                "Send a JSON object of type frame.faces, session.update or session.close.",
            )
        else:
            await handler(message)

    async def update(self, values: dict[str, Any]) -> None:
        """Change settings, and start or stop recording."""
        before = self.session.settings
        try:
            self.session.update(values)
        except session.SettingError as error:
            await self.complain("bad_setting", str(error))
            return
        try:
            await self.keep(self.session.settings.keep)
        except DatabaseError:
            self.session.update(before.to_dict())
            await self.complain("keep_failed", "The session can't be stored right now.")
            return
        await self.tell_settings()

    async def take_faces(self, message: dict[str, Any]) -> None:
        """Take the faces of a frame that the browser read itself."""
        try:
            answer = numbers.read(message)
            await self.check_version(answer)
        except numbers.NumbersError as error:
            self.session.refuse_faces(error.sequence, "bad_faces", str(error), time.monotonic())
        except DatabaseError:
            self.session.refuse_faces(
                message["sequence"], "unavailable", UNAVAILABLE, time.monotonic(), bad=False
            )
        else:
            allowed = True
            with suppress(*BROKER_TROUBLE):  # the session's own rate still holds
                allowed = await self.line.allows(self.owner)
            now = time.monotonic()
            if allowed:
                self.note(self.session.take_faces(answer, now), answer, now)
            else:
                self.session.hold_back_faces(answer["sequence"], now)
        self.wake.set()

    async def check_version(self, answer: dict[str, Any]) -> None:
        """Raises NumbersError unless this site has the version that read the faces."""
        number = answer["model_version"]
        if number in self.versions:
            return
        known = ModelVersion.objects.filter(number=number)
        if not await database_sync_to_async(known.exists)():
            explanation = f"There is no model version {number}."
            raise numbers.NumbersError(explanation, answer["sequence"])
        self.versions.add(number)

    async def tell_settings(self) -> None:
        await self.send_message(
            {
                "type": "session.updated",
                "settings": self.session.settings.to_dict(),
                "kept_url": self.kept_url,
            }
        )

    async def keep(self, wanted: bool) -> None:
        now = time.monotonic()
        async with self.storing:
            if wanted and not self.recorder:
                self.recorder = await database_sync_to_async(recordings.Recorder)(self.owner, now)
                self.kept_url = self.recorder.url
            elif not wanted and (recorder := self.recorder):
                # If the database fails, the rows stay in memory and are stored later.
                await database_sync_to_async(recorder.finish)(now)
                self.recorder = None

    async def say_goodbye(self, _message: dict[str, Any]) -> None:
        """End at the client's request: pending replies, the summary, the close."""
        self.session.drop_waiting()
        self.closing = asyncio.create_task(self.finish_then_close())

    async def finish_then_close(self) -> None:
        while not self.session.is_done:  # a frame in flight is answered or times out
            self.wake.set()
            await asyncio.sleep(0.01)
        await self.keep(False)
        summary = self.session.summary(time.monotonic())
        await self.send_message({**summary, "kept_url": self.kept_url})
        await self.close(1000)

    async def disconnect(self, code: int) -> None:
        if self.running is None:
            return
        self.running.cancel()
        with suppress(*BROKER_TROUBLE):
            await places.leave(self.line.redis, self.owner, self.name)
        await self.line.unregister(self.name)
        await self.keep(False)

    def take_answer(self, answer: frames.Answer) -> None:
        """Receives each answer of a worker."""
        now = time.monotonic()
        self.note(self.session.finish(answer, now), answer, now)
        self.wake.set()

    def note(
        self, tracked: list[TrackedFace] | None, answer: Mapping[str, Any], now: float
    ) -> None:
        """Keep the faces of a frame if the session is being kept."""
        if tracked is not None and self.recorder:
            size = (answer["width"], answer["height"])
            self.recorder.note(tracked, now, size, answer["model_version"])

    async def run(self) -> None:
        """Send replies, hand out the next frame and check timeouts until the session closes."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), TURN_SECONDS)
            self.wake.clear()
            now = time.monotonic()
            self.session.expire(now, settings.FRAME_SECONDS)
            for reply in self.session.take_replies():
                await self.send_message(reply)
            if code := await self.reason_to_close(now):
                await self.close(code)
                return
            await self.hand_out(now)
            await self.store(now)

    def report(self, task: asyncio.Task[None]) -> None:
        """A session must not stay open silently after an unexpected error."""
        if not task.cancelled() and (error := task.exception()):
            logger.error("A live session failed", exc_info=error)
            self.closing = asyncio.create_task(self.close(BROKEN))

    async def hand_out(self, now: float) -> None:
        """Send the waiting frame to a worker, unless one is in flight."""
        frame = self.session.start_next(now)
        if frame is None:
            return
        min_face, hints = self.session.min_face(now), self.session.hints(now)
        try:
            taken = await self.line.send(
                self.owner,
                self.name,
                frame,
                min_face,
                hints,
                self.session.settings.mesh,
                enqueue_frame,
            )
        except BROKER_TROUBLE:
            self.session.give_up("unavailable", UNAVAILABLE)
            self.wake.set()
        else:
            if not taken:
                self.session.hold_back()
                self.wake.set()

    async def reason_to_close(self, now: float) -> int | None:
        """The close code, if there is a reason to close."""
        if self.session.is_spoiled:
            return BAD_FRAMES
        if self.session.is_unread:
            return UNREAD
        if now - self.session.last_frame_at > settings.LIVE_IDLE_SECONDS:
            return IDLE
        if now - self.checked_at > TRUSTED_SECONDS:
            self.checked_at = now
            if not await access.may_go_on(self.scope):
                return NOT_SIGNED_IN
            with suppress(*BROKER_TROUBLE):
                await places.take(self.line.redis, self.owner, self.name)
        return None

    async def store(self, now: float) -> None:
        """Store a recording's rows once a second; stops recording if it was deleted."""
        if now - self.stored_at < STORE_SECONDS:
            return
        self.stored_at = now
        async with self.storing:
            if recorder := self.recorder:
                with suppress(DatabaseError):  # tried again with the next rows
                    if not await database_sync_to_async(recorder.store)(now):
                        self.recorder = self.kept_url = None
                        # Otherwise the next change of a setting would start a new recording
                        # unasked.
                        self.session.update({"keep": False})
                        await self.tell_settings()

    async def take_place(self) -> int | None:
        """Take one of the site's places; returns the close code if none is free."""
        try:
            answer = await places.take(self.line.redis, self.owner, self.name)
        except BROKER_TROUBLE:
            return BUSY
        return {places.TAKEN: None, places.TOO_MANY: TOO_MANY, places.FULL: BUSY}[answer]

    async def complain(self, code: str, message: str) -> None:
        await self.send_message({"type": "session.error", "code": code, "message": message})

    async def send_message(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))
