"""What has been heard of an answer at a moment of its sound."""

from __future__ import annotations

import numpy as np

from voice.agent.speaking.playback import SpokenPiece, heard_until
from voice.types import Audio, Speech, Word

TIMED = SpokenPiece(
    0.0, 2.0, "It is noon.", (Word("It", 0.0, 0.4), Word("is", 0.4, 1.0), Word("noon.", 1, 2))
)
UNTIMED = SpokenPiece(2.0, 2.0, "All is well.")


def test_words_count_as_heard_once_they_have_been_played_to_their_end():
    heard = [heard_until([TIMED, UNTIMED], seconds) for seconds in (0.3, 0.4, 1.9, 2.0)]
    assert heard == ["", "It", "It is", "It is noon."]


def test_a_piece_whose_words_have_no_times_is_divided_by_their_number():
    heard = [heard_until([UNTIMED], seconds) for seconds in (1.0, 2.5, 3.4, 4.0)]
    assert heard == ["", "", "All is", "All is well."]


def test_a_piece_is_timed_from_its_speech_and_keeps_no_samples():
    speech = Speech(Audio(np.zeros(48_000, np.float32), 24_000), TIMED.text, TIMED.words)
    assert SpokenPiece.of(0.0, speech) == TIMED


def test_a_piece_without_sound_is_heard_when_its_moment_has_come():
    silent = SpokenPiece(1.0, 0.0, "Well.")
    assert heard_until([silent], 0.5) == "" and heard_until([silent], 1.0) == "Well."
