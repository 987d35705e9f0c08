"""How a conversation listens, and how it judges speech over the agent's; all times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from voice.vad import Thresholds


@dataclass(frozen=True)
class ListeningOptions:
    """How a conversation listens, in seconds.

    A pause is already a short silence, so that the words so far can be recognized, and an answer
    prepared, while it is still open whether the turn is over.
    """

    thresholds: Thresholds = Thresholds(shortest_speech=0.064, shortest_silence=0.096)
    over: float = 0.16  # shortest silence while the agent speaks too: a word or two must not be judged apart
    echoing: float = 0.1  # shortest speech while the agent hears itself
    pre_roll: float = 0.4  # kept from before the first sure sound, so that no syllable is lost
    often: float = 0.1  # what the recognizer is given at once
    stale: float = 7.0  # a turn without a new word for so long is looked at, and ended if there is none
    longest_turn: float = 60.0
    language: str | None = None
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True)
class BargeInOptions:
    """How speech over the agent's is judged, in seconds."""

    look_every: float = 0.35  # of speech after which its words are asked for
    decide_after: float = 0.9  # of being paused
    wordless: float = 0.7  # of what is surely speech; that much takes the turn even if no word is recognized
    calm: float = 2.0  # after a false alarm only words count; each in vain doubles it for possible onsets
    pause: float = 0.16  # of silence after which what was said is all of it
    borne_out: float = 0.1  # of being paused at a possible onset that turned out to be speech, which do count
    doubtful: float = 0.25  # of being paused at a possible onset; twice that while it lasts
