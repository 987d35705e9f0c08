"""`WS /v1/realtime`: OpenAI's Realtime protocol around one conversation a connection."""

from __future__ import annotations

from voice.serve.realtime.endpoint import add_realtime

__all__ = ["add_realtime"]
