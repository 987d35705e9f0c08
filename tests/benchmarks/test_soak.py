"""What the soak takes for an answer and for a failure."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.browser import serve_application
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from benchmarks import soak

DONE = 'data: {"type": "speech.audio.done"}\n\n'
WRONG = 'data: {"error": {"message": "no room"}}\n\n'


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (['data: {"type": "speech.audio.delta"}\n\n', DONE], "answered"),
        (['data: {"type": "speech.audio.delta"}\n\n'], "failed: the events break off"),
        ([], "failed: the events break off"),
        ([WRONG, DONE], "failed: no room"),
    ],
)
def test_a_stream_of_events_is_answered_only_where_it_comes_to_its_end(
    lines: list[str], outcome: str
) -> None:
    server = FastAPI()
    server.post("/")(lambda: StreamingResponse(iter(lines), media_type="text/event-stream"))
    with serve_application(server) as address:
        assert soak.Case(1, address, (), cancelled=False).post("") == outcome


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ({"type": "response.done", "response": {"status": "completed"}}, "answered"),
        ({"type": "response.done", "response": {"status": "cancelled"}}, "interrupted"),
        (
            {
                "type": "response.done",
                "response": {"status": "failed", "status_details": {"error": {"message": "no brain"}}},
            },
            "failed: no brain",
        ),
        ({"type": "error", "error": {"message": "no ears"}}, "failed: no ears"),
    ],
)
def test_a_response_that_fails_is_no_answer(event: dict, outcome: str) -> None:
    assert soak.outcome_of_response(event) == outcome


def test_failures_of_all_kinds_are_counted_and_interruptions_are_none() -> None:
    found = Counter({("live", "failed: no brain"): 2, ("speech", "status 500"): 1, ("speech", "timeout"): 1})
    found |= Counter({("live", "interrupted"): 5, ("speech", "answered"): 9, ("lists", "refused"): 3})
    assert soak.failures(found) == 4


def test_memory_counts_from_the_first_fifth() -> None:
    assert soak.growth([400.0, 500.0, 520.0, 531.0]) == 31.0 > soak.GROWTH
