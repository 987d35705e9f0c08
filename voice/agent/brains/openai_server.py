"""A language model behind an OpenAI-compatible HTTP server, with streaming and the skills as its tools."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlunsplit

from voice.agent.background import BackgroundIterator
from voice.agent.brains.chat import INSTRUCTIONS, Chat, ChatLimits, ChatMessage, ModelReply
from voice.agent.brains.server_address import host_of, split_address
from voice.agent.brains.stream_chunks import ReplyDelta, ToolCallBuilder, parse_complete_reply, parse_event
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import CommitGate
from voice.errors import BrainError

if TYPE_CHECKING:
    import httpx

LONGEST_LINE = 1 << 20  # bytes
LONGEST_STREAM = 1 << 24
MOST_BAD_LINES = 5
_ADVICE = {401: "check VOICE_LLM_KEY", 403: "check VOICE_LLM_KEY", 429: "it is asked too often"}


def remote_brain(
    url: str,
    model: str = "",
    key: str = "",
    *,
    runner: SkillRunner | None = None,
    instructions: str = INSTRUCTIONS,
    limits: ChatLimits = ChatLimits(),
) -> Chat:
    """Return a brain that asks a server with `POST …/chat/completions`: llama.cpp, Ollama, vLLM, OpenAI.

    Raises BrainError if `url` is no address; no request is sent yet.
    """
    return Chat(ChatServer(url, model, key, limits).ask, runner, instructions, limits)


class ChatServer:
    """The client of a server, which any number of conversations may share.

    Redirects are followed and proxies used as httpx does: the key goes to no other host. A server that
    refuses tools is asked without them.
    """

    def __init__(self, url: str, model: str = "", key: str = "", limits: ChatLimits = ChatLimits()) -> None:
        """Keep the address; no request is sent yet. Raises BrainError if `url` is no address."""
        self._url = _endpoint(url)
        self._model, self._key, self._limits = model, key, limits
        self._refusals: set[frozenset[str]] = set()  # sets of names of tools that the server does not take
        self._opened: httpx.Client | None = None
        self._lock = threading.Lock()

    @property
    def _where(self) -> str:
        """Return the host, for errors."""
        return host_of(split_address(self._url))

    def ask(self, talk: list[ChatMessage], tools: list[dict[str, Any]], gate: CommitGate) -> ModelReply:
        """Send one request: yield the text as it arrives, and return the tool calls."""
        work, calls = BackgroundIterator(self._request(list(talk), tools)), ToolCallBuilder()
        gate.call_at_close(work.close)
        try:
            for delta in self._wait_for_deltas(work):
                for piece in delta.calls:
                    calls.add(piece)
                if delta.text:
                    yield delta.text
        except ValueError as error:
            raise BrainError(f"the language model at {self._where}: {error}", _UNINTELLIGIBLE) from error
        except GeneratorExit:
            work.close()
            raise
        return calls.build()

    def _wait_for_deltas(self, work: BackgroundIterator[ReplyDelta]) -> Iterator[ReplyDelta]:
        """Yield the deltas up to the last; each must arrive within its time."""
        timeout, silent_until = self._limits.first, time.monotonic() + self._limits.thinking
        while True:
            try:
                delta = work.next(min(timeout, silent_until - time.monotonic()))
            except TimeoutError:
                work.close()
                raise BrainError(
                    f"the language model at {self._where} took too long; is it running?",
                    "My language model takes too long. Please try again.",
                ) from None
            if delta is None:
                raise self._broke_off("before its end")
            yield delta
            if delta.last:
                return
            timeout = self._limits.between
            if delta.text or delta.calls:
                silent_until = time.monotonic() + self._limits.thinking

    # ---- all that follows runs in a thread of its own

    def _request(self, talk: list[ChatMessage], tools: list[dict[str, Any]]) -> Iterator[ReplyDelta]:
        """Send the request, and send it again without tools if the server refuses them."""
        import httpx

        names = frozenset(tool["function"]["name"] for tool in tools)
        tools = [] if names in self._refusals else tools
        try:
            with self._client().stream("POST", self._url, json=self._body(talk, tools)) as response:
                if response.status_code == 200:
                    yield from self._read(response)
                    return
                refusal = self._refusal(response)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            if isinstance(error, httpx.TimeoutException):
                raise BrainError(
                    f"the language model at {self._where} took too long; is it running?",
                    "My language model takes too long. Please try again.",
                ) from error
            raise self._broke_off(error) from error
        if not (tools and "tool" in str(refusal).lower()):
            raise refusal
        self._refusals.add(names)
        yield from self._request(talk, [])

    def _broke_off(self, reason: object) -> BrainError:
        return BrainError(
            f"the language model at {self._where} broke off ({reason}); is it running?",
            "I can't reach my language model just now.",
        )

    def _client(self) -> httpx.Client:
        """Return the client, opened once."""
        import httpx

        with self._lock:
            if self._opened is None:
                headers = {"Accept": "text/event-stream"}
                if self._key:
                    headers["Authorization"] = f"Bearer {self._key}"
                timeout = max(self._limits.first, self._limits.between)
                try:
                    self._opened = httpx.Client(headers=headers, timeout=timeout, follow_redirects=True)
                except (ValueError, ImportError) as error:  # a proxy that cannot be used
                    raise BrainError(f"no way to {self._where}: {error}; check the proxy settings") from error
            return self._opened

    def _body(self, talk: list[ChatMessage], tools: list[dict[str, Any]]) -> dict[str, Any]:
        body: dict[str, Any] = {"messages": talk, "stream": True}
        if self._model:
            body["model"] = self._model
        if tools:
            body["tools"] = tools
        return body

    def _refusal(self, response: httpx.Response) -> BrainError:
        """Return the error for a status that is not 200, with advice."""
        status = response.status_code
        advice = _ADVICE.get(status, "check VOICE_LLM_URL and VOICE_LLM_MODEL")
        reason = " ".join(next(_read_lines(response, 2000), b"").decode("utf-8", "replace").split())[:200]
        known = {401: "My language model doesn't let me in.", 403: "My language model doesn't let me in."}
        known[429] = "My language model is busy. Please try again in a moment."
        return BrainError(
            f"the language model at {self._where} answered {status}; {advice}" + (reason and f" ({reason})"),
            known.get(status, "My language model reports an error."),
        )

    def _read(self, response: httpx.Response) -> Iterator[ReplyDelta]:
        """Yield the deltas of a response. Raises BrainError after too many lines that are no JSON."""
        kind = response.headers.get("Content-Type", "")
        if "json" in kind and "event" not in kind:  # a server that does not stream
            yield self._complete_reply(b"".join(_read_lines(response, LONGEST_LINE)))
            return
        bad = 0
        for line in _read_lines(response, LONGEST_STREAM):
            try:
                delta = parse_event(line)
            except ValueError:
                bad += 1
                if bad > MOST_BAD_LINES:
                    raise BrainError(
                        f"the language model at {self._where} sends what is not JSON; check VOICE_LLM_URL",
                        _UNINTELLIGIBLE,
                    ) from None
                continue
            if delta is not None:
                bad = 0 if delta.text else bad
                yield delta

    def _complete_reply(self, body: bytes) -> ReplyDelta:
        try:
            return parse_complete_reply(body)
        except ValueError as error:
            message = f"the language model at {self._where} sent no answer; check VOICE_LLM_URL"
            raise BrainError(message, _UNINTELLIGIBLE) from error


_UNINTELLIGIBLE = "My language model makes no sense just now. Please try again."


def _endpoint(url: str) -> str:
    """Return the address of chat completions, with its query: …/v1 → …/v1/chat/completions."""
    parts = split_address(url)
    path = parts.path.rstrip("/") or "/v1"
    if not path.endswith("/chat/completions"):
        path += "/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _read_lines(response: httpx.Response, most: int) -> Iterator[bytes]:
    """Yield the lines of a body up to `most` bytes or to a line longer than LONGEST_LINE."""
    rest, size = b"", 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if size > most or len(rest) > LONGEST_LINE:
            return
    if rest:
        yield rest
