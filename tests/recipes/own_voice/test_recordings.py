"""The recordings of one person, split so that no sentence is learned and reported on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="recipes are not installed; pip install '.[train]'")

from recipes.own_voice.recordings import FEWEST, prepare_recordings, split_sentences
from voice.errors import VoiceError
from voice.manifest import Clip, read_manifest

TINY = Path(__file__).resolve().parents[3] / "data" / "tiny" / "train.jsonl"


def clips(count: int, **other) -> list[Clip]:
    given = {"duration": 4.0, "speaker": None} | other
    return [Clip(Path(f"{i}.wav"), f"This is sentence number {i}.", id=str(i), **given) for i in range(count)]


def manifest(folder: Path, some: list[Clip]) -> Path:
    rows = [
        {"audio": str(c.audio), "text": c.text, "duration": c.duration, "speaker": c.speaker, "id": c.id}
        for c in some
    ]
    path = folder / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_no_sentence_is_in_two_splits_and_repeated_ones_stay_together():
    some = clips(60) + [Clip(Path("again.wav"), "THIS is sentence  number 7.", 4.0, None, "again")]
    splits = split_sentences(some)
    where = {split: {" ".join(clip.text.lower().split()) for clip in own} for split, own in splits.items()}
    assert not where["train"] & where["dev"] and not where["train"] & where["test"]
    assert not where["dev"] & where["test"]
    assert len(splits["dev"]) in (FEWEST, FEWEST + 1) and sum(map(len, splits.values())) == 61
    assert splits == split_sentences(some)


def test_of_few_recordings_few_are_held_out():
    counts = (6, 8, 13, 24, 300)
    sizes = {count: [len(own) for own in split_sentences(clips(count)).values()] for count in counts}
    assert sizes == {6: [4, 1, 1], 8: [6, 1, 1], 13: [9, 2, 2], 24: [16, 4, 4], 300: [270, 15, 15]}


def test_what_is_long_or_a_single_word_is_learned_and_not_held_out():
    long = [Clip(Path(f"l{i}.wav"), f"A long sentence number {i}.", 40.0, None, f"l{i}") for i in range(5)]
    splits = split_sentences([*clips(20), *long, Clip(Path("yes.wav"), "Yes.", 1.0, None, "yes")])
    held = [*splits["dev"], *splits["test"]]
    assert held and all(clip.duration <= 15 and len(clip.text.split()) >= 4 for clip in held)


def test_every_recording_gets_the_name_of_the_voice(tmp_path):
    made = prepare_recordings(manifest(tmp_path, clips(30)), tmp_path / "out", "anna")
    found = [clip for path in made.all for clip in read_manifest(path)]
    assert len(found) == 30 and {clip.speaker for clip in found} == {"anna"}


def test_a_folder_is_read_as_it_is(tmp_path):
    import soundfile

    folder = tmp_path / "recordings"
    folder.mkdir()
    for number, clip in enumerate(read_manifest(TINY)):
        samples, rate = soundfile.read(clip.audio)
        soundfile.write(folder / f"{number}.wav", samples, rate)
        (folder / f"{number}.txt").write_text(clip.text, "utf-8")
    made = prepare_recordings(folder, tmp_path / "out", "anna")
    assert len(read_manifest(made.train)) > len(read_manifest(made.dev)) >= 1


def test_of_several_people_one_has_to_be_chosen(tmp_path):
    bob = [Clip(Path(f"b{i}.wav"), f"Bob says number {i}.", 4.0, "bob", f"b{i}") for i in range(30)]
    both = manifest(tmp_path, clips(30, speaker="anna") + bob)
    with pytest.raises(VoiceError, match=r"2 speakers \(anna, bob\); .* name one with --speaker"):
        prepare_recordings(both, tmp_path / "out", "anna")
    with pytest.raises(VoiceError, match="no speaker eve; it has anna, bob"):
        prepare_recordings(both, tmp_path / "out", "anna", "eve")
    made = prepare_recordings(both, tmp_path / "out", "b", "bob")
    assert sum(len(read_manifest(path)) for path in made.all) == 30


def test_too_little_and_other_languages_are_refused_at_once(tmp_path, capsys):
    with pytest.raises(VoiceError, match="has 8 s with transcripts"):
        prepare_recordings(manifest(tmp_path, clips(2)), tmp_path / "out", "anna")
    german = [
        Clip(Path("a.wav"), "Das ist nicht der Weg und auch nicht das Ziel.", 9.0, None, str(i))
        for i in range(12)
    ]
    with pytest.raises(VoiceError, match="German"):
        prepare_recordings(manifest(tmp_path, german), tmp_path / "out", "anna")
    prepare_recordings(manifest(tmp_path, clips(30)), tmp_path / "out", "anna")
    assert "little for a voice" in capsys.readouterr().out
