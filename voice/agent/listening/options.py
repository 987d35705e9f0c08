"""How a conversation listens, and how it judges speech over the agent's; all times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from voice.vad import Thresholds


@dataclass(frozen=True)
class ListeningOptions:
    """How a conversation listens, in seconds (s).

    A pause is already a short silence, so that the words so far can be recognized, and an answer
    prepared, while it is still open whether the turn is over.
    """

    thresholds: Thresholds = Thresholds(shortest_speech=0.064, shortest_silence=0.096)
    # s of silence that are a pause while the agent speaks too: longer, or a word or two would be judged alone
    min_silence_over_agent: float = 0.16
    min_speech_over_echo: float = 0.1  # s of sound that are speech while the microphone hears the agent
    pre_roll: float = 0.4  # s of sound kept from before the detected onset, so that no syllable is lost
    feed_interval: float = 0.1  # s of speech that the recognizer is given at a time
    no_new_word_timeout: float = 7.0  # s in a turn without a new word, after which the turn ends
    longest_turn: float = 60.0  # s after which a turn ends although the person still speaks
    language: str | None = None  # ISO 639-1; None detects it
    hotwords: tuple[str, ...] = ()  # terms to expect


@dataclass(frozen=True)
class BargeInOptions:
    """How speech over the agent's is judged, in seconds (s)."""

    recognize_interval: float = 0.35  # s of speech after which its words are asked for, again and again
    decide_after: float = 0.9  # s that the agent is paused before it is decided without words
    min_speech_without_words: float = 0.7  # s of sure speech that take the turn though no word is recognized
    # s after a false alarm in which only words count; for possible onsets it doubles with each false one
    false_alarm_cooldown: float = 2.0
    end_silence: float = 0.16  # s of silence after which what was said is judged as all of it
    onset_pause: float = 0.25  # s that the agent pauses at a possible onset; twice that while the onset lasts
    onset_pause_credit: float = (
        0.1  # s of such a pause that count for `decide_after` at most, if it is speech
    )
