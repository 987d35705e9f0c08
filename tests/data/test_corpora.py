"""Each corpus in its published layout, made small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.arctic import prepare_arctic
from data.common_voice import prepare_common_voice
from data.folder import prepare_folder
from data.librispeech import prepare_librispeech
from data.ljspeech import prepare_ljspeech
from data.speechocean762 import prepare_speechocean762
from voice.errors import ManifestError
from voice.manifest import check, read_manifest


def record(path: Path, seconds: float = 0.5, rate: int = 16000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds * rate)) * 0.3), rate)
    return path


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def librispeech(tmp_path) -> Path:
    root = tmp_path / "LibriSpeech"
    write(root / "SPEAKERS.TXT", "; ID | SEX | SUBSET | MINUTES | NAME", "84   | F | dev-clean | 8.0 | Nowak")
    for subset, speaker in (("dev-clean", 84), ("train-clean-100", 103)):
        chapter = root / subset / str(speaker) / "121123"
        for number in range(2):
            record(chapter / f"{speaker}-121123-000{number}.flac", 0.5 + number)
        write(
            chapter / f"{speaker}-121123.trans.txt",
            f"{speaker}-121123-0000 GO DO YOU HEAR",
            f"{speaker}-121123-0001 BUT IN LESS THAN FIVE MINUTES",
            f"{speaker}-121123-0002 NO FILE",
        )
    return root


def test_librispeech_gives_a_manifest_for_each_subset(librispeech, tmp_path, caplog):
    clips = prepare_librispeech(librispeech, tmp_path / "out")
    assert len(clips) == 4 and caplog.text.count("is missing") == 2
    dev = read_manifest(tmp_path / "out" / "dev-clean.jsonl")
    assert [clip.text for clip in dev] == ["GO DO YOU HEAR", "BUT IN LESS THAN FIVE MINUTES"]
    assert dev[1].id == "librispeech-84-121123-0001" and dev[1].duration == 1.5
    assert (dev[0].speaker, dev[0].extra["gender"], dev[0].extra["subset"]) == ("84", "f", "dev-clean")
    assert check(tmp_path / "out" / "train-clean-100.jsonl").problems == ()


def test_one_subset_of_librispeech_alone_is_read_too(librispeech, tmp_path):
    clips = prepare_librispeech(librispeech / "dev-clean", tmp_path / "out")
    assert len(clips) == 2 and clips[0].extra == {"subset": "dev-clean", "gender": "f"}
    assert (tmp_path / "out" / "dev-clean.jsonl").exists()


def test_ljspeech_keeps_quotes_and_both_texts(tmp_path, caplog):
    root = tmp_path / "LJSpeech-1.1"
    write(
        root / "metadata.csv",
        'LJ001-0001|"Printing," he said, in 1455|"Printing," he said, in fourteen fifty-five',
        "LJ001-0002|in being comparatively modern.",
        "LJ001-0003",
    )
    for number in (1, 2, 3):
        record(root / "wavs" / f"LJ001-000{number}.wav", rate=22050)
    first, second = prepare_ljspeech(root, tmp_path / "all.jsonl")
    assert first.text == '"Printing," he said, in 1455' and first.sample_rate == 22050
    assert first.extra["text_normalized"].endswith("fourteen fifty-five")
    assert second.id == "ljspeech-LJ001-0002" and second.extra == {}
    assert "row 3: 1 fields" in caplog.text


def test_arctic_voices_share_their_prompts_between_splits(tmp_path, caplog):
    for voice in ("slt", "bdl"):
        root = tmp_path / "in" / f"cmu_us_{voice}_arctic"
        names = [f"arctic_a00{number:02d}" for number in range(1, 21)]
        prompts = [f'( {name} "Author {name[-2:]} of the \\"danger\\" trail." )' for name in names]
        write(root / "etc" / "txt.done.data", *prompts, "( arctic_a0099 unquoted )")
        for name in names:
            record(root / "wav" / f"{name}.wav", 0.2)
    clips = prepare_arctic(tmp_path / "in", tmp_path / "out")
    assert len(clips) == 40 and caplog.text.count('not ( id "text" )') == 2
    assert clips[0].text == 'Author 01 of the "danger" trail.'
    dev = read_manifest(tmp_path / "out" / "dev.jsonl")
    assert sorted(clip.speaker for clip in dev) == ["bdl", "slt"] and dev[0].text == dev[1].text


def test_a_voice_folder_of_any_name_is_its_speaker(tmp_path):
    root = tmp_path / "kathleen"
    write(root / "etc" / "txt.done.data", '( arctic_a0001 "Author of the danger trail." )')
    record(root / "wav" / "arctic_a0001.wav")
    assert prepare_arctic(root, tmp_path / "out.jsonl")[0].id == "kathleen-arctic_a0001"
    with pytest.raises(ManifestError, match="txt.done.data"):
        prepare_arctic(root / "wav", tmp_path / "out.jsonl")


def test_speechocean762_keeps_its_splits_scores_and_speakers(tmp_path, caplog):
    root = tmp_path / "speechocean762"
    for split, name, speaker in (("train", "000010011", "0001"), ("test", "000030012", "0003")):
        record(root / "WAVE" / f"SPEAKER{speaker}" / f"{name}.WAV")
        places = f"{name}\tWAVE/SPEAKER{speaker}/{name}.WAV", "000099999\tWAVE/none.WAV"
        write(root / split / "wav.scp", *places)
        write(root / split / "text", f"{name}\tWE CALL IT BEAR")
        write(root / split / "utt2spk", f"{name}\t{speaker}")
        write(root / split / "spk2age", f"{speaker}\t6")
        write(root / split / "spk2gender", f"{speaker}\tm")
    scores = {"000010011": {"accuracy": 8, "fluency": 9, "total": 8, "words": []}}
    write(root / "resource" / "scores.json", json.dumps(scores))
    clips = prepare_speechocean762(root, tmp_path / "out")
    assert [clip.id for clip in clips] == ["speechocean762-000010011", "speechocean762-000030012"]
    (train,) = read_manifest(tmp_path / "out" / "train.jsonl")
    assert train.speaker == "so0001" and train.text == "WE CALL IT BEAR"
    assert train.extra == {"gender": "m", "age": 6, "accuracy": 8, "fluency": 9, "total": 8}
    assert "000099999: it has no line in train/text" in caplog.text


COLUMNS = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment"


def common_voice_row(name: str, text: str) -> str:
    return f"ab{name}\tcommon_voice_en_{name}.mp3\t{text}\t2\t0\ttwenties\tfemale\t\ten\t"


def test_common_voice_reads_the_published_splits(tmp_path, caplog):
    root = tmp_path / "cv-corpus" / "en"
    for number in (1, 2, 3):
        record(root / "clips" / f"common_voice_en_{number}.mp3", 1.0, 32000)
    write(root / "train.tsv", COLUMNS, common_voice_row("1", 'He said "no".'), "torn\tline")
    write(root / "test.tsv", COLUMNS, common_voice_row("2", "Isn't it?"))
    write(root / "validated.tsv", COLUMNS, common_voice_row("3", "Validated."))
    clips = prepare_common_voice(root, tmp_path / "out")
    assert [clip.text for clip in clips] == ['He said "no".', "Isn't it?"]
    assert clips[0].duration == pytest.approx(1.0, abs=0.1) and clips[0].sample_rate == 32000
    assert (clips[0].speaker, clips[0].language) == ("ab1", "en")
    assert clips[0].extra == {"gender": "female", "age": "twenties"}
    assert "line 3: 2 fields where 10 belong" in caplog.text
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == ["test", "train"]


def test_common_voice_falls_back_on_what_was_validated_and_reads_a_single_table(tmp_path):
    root = tmp_path / "en"
    record(root / "clips" / "common_voice_en_3.mp3")
    table = write(root / "validated.tsv", COLUMNS, common_voice_row("3", "Validated."))
    for source in (root, table):
        assert [clip.text for clip in prepare_common_voice(source, tmp_path / "out.jsonl")] == ["Validated."]
    with pytest.raises(ManifestError, match="train.tsv"):
        prepare_common_voice(tmp_path, tmp_path / "out.jsonl")


def test_a_folder_takes_texts_beside_and_speakers_from_subfolders(tmp_path, caplog):
    root = tmp_path / "recordings"
    record(root / "ann" / "1.wav").with_suffix(".txt").write_text("Hello\nthere.\n", "utf-8")
    record(root / "2.FLAC".lower())
    record(root / "bob" / "3.wav").with_suffix(".txt").write_text("", "utf-8")
    clips = {clip.id: clip for clip in prepare_folder(root, tmp_path / "out.jsonl")}
    assert clips["ann/1.wav"].text == "Hello there." and clips["ann/1.wav"].speaker == "ann"
    assert clips["2.flac"].text is None and clips["2.flac"].speaker is None
    assert "skipped bob/3.wav: the transcript is empty" in caplog.text


@pytest.mark.parametrize(
    "lines",
    [
        ["file,transcript,speaker", '1.wav,"Yes, please.",ann', "2.wav,No.,bob", ",no audio,bob", "3.wav"],
        ["speaker\tpath\ttext", "ann\t1.wav\tYes, please.", "bob\t2.wav\tNo.", "bob\t\tnone", "bob\t3.wav"],
    ],
)
def test_a_table_with_a_header_may_name_and_order_its_columns(tmp_path, caplog, lines):
    for number in (1, 2, 3):
        record(tmp_path / f"{number}.wav")
    clips = prepare_folder(write(tmp_path / "list.csv", *lines), tmp_path / "out.jsonl")
    assert [(clip.text, clip.speaker) for clip in clips] == [("Yes, please.", "ann"), ("No.", "bob")]
    assert "row 4: it names no audio" in caplog.text
    assert "row 5: it has fewer columns" in caplog.text


def test_a_table_without_a_header_is_audio_and_text(tmp_path):
    record(tmp_path / "wavs" / "1.wav")
    write(tmp_path / "metadata.csv", "wavs/1.wav|Yes, please.")
    assert [clip.text for clip in prepare_folder(tmp_path, tmp_path / "out.jsonl")] == ["Yes, please."]
