from __future__ import annotations

import asyncio
import threading

import pytest
from fakes.realtime import PATIENCE

from voice.serve.realtime import mailboxes
from voice.serve.realtime.mailboxes import ClientTooSlow, Inbox, Outbox


def run(work):
    return asyncio.run(asyncio.wait_for(work, PATIENCE))


def test_texts_come_in_order_and_none_after_the_end():
    async def work():
        inbox = Inbox(asyncio.get_running_loop())
        for text in "abc":
            await inbox.put(text)
        assert [inbox.get(0) for _ in range(4)] == ["a", "b", "c", None]
        waiting = asyncio.create_task(asyncio.to_thread(inbox.get, None))
        inbox.close()
        assert await waiting is None and inbox.closed

    run(work())


def test_who_waits_for_a_text_can_be_woken_and_no_text_is_lost_by_that():
    async def work():
        inbox = Inbox(asyncio.get_running_loop())
        waiting = asyncio.create_task(asyncio.to_thread(inbox.get, None))
        await inbox.put("a")
        assert await waiting == "a"
        waiting = asyncio.create_task(asyncio.to_thread(inbox.get, None))
        inbox.wake()
        assert await waiting is None and not inbox.closed
        inbox.wake()
        await inbox.put("b")
        assert [inbox.get(0), inbox.get(None)] == ["b", None]

    run(work())


def test_a_client_that_sends_faster_than_it_is_heard_has_to_wait(monkeypatch):
    monkeypatch.setattr(mailboxes, "MAX_WAITING", 10)

    async def work():
        inbox = Inbox(asyncio.get_running_loop())
        await inbox.put("x" * 20)
        held = asyncio.create_task(inbox.put("y"))
        await asyncio.sleep(0)
        assert not held.done()
        assert await asyncio.to_thread(inbox.get, 0) == "x" * 20
        await held
        assert inbox.get(0) == "y"

    run(work())


def test_sound_can_be_taken_back_and_nothing_else():
    async def work():
        outbox = Outbox(asyncio.get_running_loop())
        for text, sound in [("begin", False), ("la", True), ("words", False), ("li", True)]:
            outbox.put(text, sound)
        assert await outbox.get() == "begin"
        outbox.discard_audio()
        outbox.close()
        outbox.put("too late")
        assert [await outbox.get(), await outbox.get()] == ["words", None]

    run(work())


def test_what_another_thread_says_wakes_the_one_who_waits():
    async def work():
        outbox = Outbox(asyncio.get_running_loop())
        threading.Timer(0.01, outbox.put, ["hello"]).start()
        assert await outbox.get() == "hello"

    run(work())


def test_a_client_that_takes_too_little_is_called_slow(monkeypatch):
    monkeypatch.setattr(mailboxes, "MAX_UNSENT", 10)

    async def work():
        outbox = Outbox(asyncio.get_running_loop())
        outbox.put("x" * 11)
        with pytest.raises(ClientTooSlow):
            await outbox.get()

    run(work())
