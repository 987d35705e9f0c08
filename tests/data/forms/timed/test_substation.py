"""SubStation Alpha beside a film is read like any other subtitles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.forms.timed import captions
from data.prepare import AS_THEY_ARE, prepare
from voice.errors import ManifestError
from voice.manifest import read_manifest

HEAD = (
    "[Script Info]\nTitle: a film\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\n"
)
COLUMNS = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def dialogue(start: str, end: str, text: str, name: str = "", layer: int = 0) -> str:
    return f"Dialogue: {layer},{start},{end},Default,{name},0,0,0,,{text}\n"


def test_events_are_stretches_of_speech_with_who_says_them(tmp_path):
    path = tmp_path / "film.ass"
    path.write_text(
        HEAD + COLUMNS
        + "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown\n"
        + dialogue("0:00:05.00", "0:00:06.50", "Well, {\\i1}this{\\i0} is it,\\Nfolks.", "Anna")
        + dialogue("0:00:05.00", "0:00:06.50", "Well, {\\i1}this{\\i0} is it,\\Nfolks.", "Anna", layer=1)
        + dialogue("0:00:08.00", "0:00:09.00", "{\\p1}m 0 0 l 100 0{\\p0}")
        + dialogue("0:01:00.25", "0:01:02.00", "[door slams]\\NWho is there?", "Ben"),
        "utf-8-sig",
    )  # fmt: skip
    first, second = captions.read(path).stretches
    assert (first.text, first.speaker) == ("Well, this is it, folks.", "Anna")
    assert (second.text, second.speaker) == ("Who is there?", "Ben")
    assert first.start == pytest.approx(5.0, abs=0.25) and second.end == pytest.approx(62.0, abs=0.25)


def test_columns_may_stand_in_another_order_and_text_without_times_is_no_event(tmp_path):
    path = tmp_path / "old.ssa"
    events = "Format: Marked, Start, End, Text\nDialogue: Marked=0,0:00:01.0,0:00:02.0,Yes, indeed.\n"
    path.write_text(f"{HEAD}{events}Dialogue: Marked=0,soon,later,Never.\n", "utf-8")
    assert [each.text for each in captions.read(path).stretches] == ["Yes, indeed."]
    path.write_text(HEAD + COLUMNS, "utf-8")
    with pytest.raises(ManifestError, match="holds no times"):
        captions.read(path)


def test_a_film_with_its_script_becomes_clips(tmp_path):
    source = tmp_path / "films"
    source.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 9).astype(np.float32)
    soundfile.write(source / "film.wav", noise, 16_000)
    shown = dialogue("0:00:01.00", "0:00:03.00", "Good morning to you.") + dialogue(
        "0:00:05.00", "0:00:07.50", "And good night."
    )
    Path(source / "film.en.ass").write_text(HEAD + COLUMNS + shown, "utf-8")
    prepared = prepare(source, tmp_path / "all.jsonl", AS_THEY_ARE)
    clips = read_manifest(prepared.manifests["all"])
    assert [clip.text for clip in clips] == ["Good morning to you.", "And good night."]
    assert all(2.0 <= clip.duration <= 3.5 for clip in clips)
