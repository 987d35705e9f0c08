"""A language model behind an OpenAI-compatible HTTP server, streamed with the standard library."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from voice.errors import BrainError
from voice.types import Message

INSTRUCTIONS = (
    "You are a voice assistant. Your words are spoken aloud, so answer in one to three short "
    "sentences of plain spoken English, without lists, Markdown, code, emoji or links."
)
LONGEST_LINE = 1 << 20  # bytes
MOST_BAD_LINES = 5


class Remote:
    """Any server with `POST …/chat/completions`, such as llama.cpp, Ollama, vLLM or OpenAI.

    `patience` is how many seconds may pass without a word, `longest_answer` how many characters are
    taken at most. Redirects are not followed, so that the key goes to no other host.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        key: str = "",
        *,
        instructions: str = INSTRUCTIONS,
        patience: float = 20.0,
        longest_answer: int = 4000,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BrainError(f"VOICE_LLM_URL is {url!r}; it looks like http://localhost:11434/v1")
        self._parts = parts
        self._model, self._key = model, key
        self._instructions = instructions
        self._patience, self._longest = patience, longest_answer
        self._stopwatch = stopwatch

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """The answer as it arrives. Raises BrainError where the server fails, stalls or hangs up."""
        connection = self._connection()
        try:
            response = self._asked(connection, messages)
            length = 0
            for text in self._pieces(response):
                length += len(text)
                yield text
                if length > self._longest:
                    return
            if not length:
                raise BrainError(f"the language model at {self._where} sent an empty answer; ask again")
        except (OSError, http.client.HTTPException) as error:
            reason = "took too long" if isinstance(error, TimeoutError) else f"broke off ({error})"
            raise BrainError(f"the language model at {self._where} {reason}; is it running?") from error
        finally:
            connection.close()

    @property
    def _where(self) -> str:
        return self._parts.netloc.rpartition("@")[2]

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        try:
            return kind(self._parts.hostname, self._parts.port, timeout=self._patience)
        except ValueError as error:
            raise BrainError(f"VOICE_LLM_URL has a wrong port: {error}") from error

    def _asked(
        self, connection: http.client.HTTPConnection, messages: Sequence[Message]
    ) -> http.client.HTTPResponse:
        spoken = [Message("system", self._instructions), *messages]
        body = {"messages": [{"role": each.role, "content": each.content} for each in spoken], "stream": True}
        if self._model:
            body["model"] = self._model
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        path = self._parts.path.rstrip("/")
        path = path if path.endswith("/chat/completions") else f"{path}/chat/completions"
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            advice = {401: "check VOICE_LLM_KEY", 403: "check VOICE_LLM_KEY"}.get(
                response.status, "check VOICE_LLM_URL and VOICE_LLM_MODEL"
            )
            raise BrainError(f"the language model at {self._where} answered {response.status}; {advice}")
        return response

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[str]:
        if "json" in response.getheader("Content-Type", ""):  # a server that does not stream
            yield _whole_answer(response.read(LONGEST_LINE), self._where)
            return
        bad, deadline = 0, self._stopwatch() + self._patience
        while line := response.readline(LONGEST_LINE):
            text, good, last = _delta(line)
            bad = bad + 1 if not good else 0 if text else bad
            if bad > MOST_BAD_LINES:
                raise BrainError(
                    f"the language model at {self._where} sends what is not JSON; check VOICE_LLM_URL"
                )
            if text:
                yield text
                deadline = self._stopwatch() + self._patience
            if last:
                return
            if self._stopwatch() > deadline:  # a server that only keeps the line open
                raise TimeoutError
        raise ConnectionError("before its end")


def _delta(line: bytes) -> tuple[str, bool, bool]:
    """A line of server-sent events → (text, whether it could be read, whether it is the last)."""
    line = line.strip()
    if not line.startswith(b"data:"):
        return "", True, False  # a comment, a field name, the empty line between events
    data = line[len(b"data:") :].strip()
    if data == b"[DONE]":
        return "", True, True
    try:
        event = json.loads(data)
        if event.get("error"):
            raise BrainError(f"the language model reports an error: {event['error']}"[:300])
        choices = event.get("choices") or [{}]
        text = (choices[0].get("delta") or {}).get("content") or ""
        return str(text), True, choices[0].get("finish_reason") is not None
    except (ValueError, AttributeError, KeyError, IndexError, TypeError):
        return "", False, False


def _whole_answer(body: bytes, where: str) -> str:
    try:
        return str(json.loads(body)["choices"][0]["message"]["content"] or "")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BrainError(f"the language model at {where} sent no answer; check VOICE_LLM_URL") from error
