"""letters."""

from __future__ import annotations

from voice.text.rule import rule

RULES = ()
