"""Each form of data set in its published layout, made small, through the one door."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.prepare import Prepared, PrepareOptions, prepare
from voice.errors import ManifestError
from voice.manifest import Clip, read_manifest


def record(path: Path, seconds: float = 0.5, rate: int = 16000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds * rate)) * 0.3), rate)
    return path


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def make(source: Path, out: Path, **options) -> tuple[list[Clip], Prepared, list[dict]]:
    """The clips of all manifests, what became of the source, and what was dropped; nobody listens."""
    done = prepare(source, out, PrepareOptions(**{"listen": False, **options}))
    clips = [clip for path in done.manifests.values() for clip in read_manifest(path)]
    lost = done.report.read_text("utf-8").splitlines() if done.report else []
    return clips, done, [json.loads(line) for line in lost]


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


def test_librispeech_becomes_the_splits_that_its_subsets_name(librispeech, tmp_path):
    clips, done, lost = make(librispeech, tmp_path / "out")
    assert done.form == "LibriSpeech" and len(clips) == 4
    assert [(each["where"], each["kind"]) for each in lost] == [
        ("librispeech-84-121123-0002", "recording cannot be found"),
        ("librispeech-103-121123-0002", "recording cannot be found"),
    ]
    dev = read_manifest(tmp_path / "out" / "dev.jsonl")
    assert [clip.text for clip in dev] == ["GO DO YOU HEAR", "BUT IN LESS THAN FIVE MINUTES"]
    assert dev[1].id == "librispeech-84-121123-0001" and dev[1].duration == 1.5
    assert (dev[0].speaker, dev[0].extra["gender"], dev[0].extra["subset"]) == ("84", "f", "dev-clean")
    assert len(read_manifest(tmp_path / "out" / "train.jsonl")) == 2


def test_one_subset_of_librispeech_alone_is_read_too(librispeech, tmp_path):
    clips, done, _ = make(librispeech / "dev-clean", tmp_path / "out")
    assert len(clips) == 2 and clips[0].extra == {"subset": "dev-clean", "gender": "f"}
    assert list(done.manifests) == ["dev"]


def test_multilingual_librispeech_names_its_files_in_one_list(tmp_path):
    root = tmp_path / "mls_german"
    record(root / "train" / "audio" / "4705" / "9966" / "4705_9966_000000.flac")
    write(root / "train" / "transcripts.txt", "4705_9966_000000\tda ging er hin", "torn")
    (clip,), done, lost = make(root, tmp_path / "out", language="de")
    assert (clip.text, clip.speaker, clip.language) == ("da ging er hin", "4705", "de")
    assert done.form == "LibriSpeech" and lost[0]["reason"] == "not an id and its text"


def test_ljspeech_keeps_quotes_and_both_texts(tmp_path):
    root = tmp_path / "LJSpeech-1.1"
    write(
        root / "metadata.csv",
        'LJ001-0001|"Printing," he said, in 1455|"Printing," he said, in fourteen fifty-five',
        "LJ001-0002|in being comparatively modern.",
        "LJ001-0003",
    )
    for number in (1, 2, 3):
        record(root / "wavs" / f"LJ001-000{number}.wav", rate=22050)
    (first, second), done, lost = make(root, tmp_path / "all.jsonl")
    assert first.text == '"Printing," he said, in 1455' and first.sample_rate == 22050
    assert first.extra["text_normalized"].endswith("fourteen fifty-five")
    assert second.id == "ljspeech-LJ001-0002" and second.extra == {} and done.form == "LJ Speech"
    assert lost[0]["where"] == "metadata.csv, row 3" and "1 fields" in lost[0]["reason"]


def test_arctic_voices_share_their_prompts_between_splits(tmp_path):
    for voice in ("slt", "bdl"):
        root = tmp_path / "in" / f"cmu_us_{voice}_arctic"
        names = [f"arctic_a00{number:02d}" for number in range(1, 21)]
        prompts = [f'( {name} "Author {name[-2:]} of the \\"danger\\" trail." )' for name in names]
        write(root / "etc" / "txt.done.data", *prompts, "( arctic_a0099 unquoted )")
        for name in names:
            record(root / "wav" / f"{name}.wav", 0.2)
    clips, done, lost = make(tmp_path / "in", tmp_path / "out")
    assert len(clips) == 40 and sum('not ( id "text" )' in each["reason"] for each in lost) == 2
    assert {clip.text for clip in clips} >= {'Author 01 of the "danger" trail.'}
    dev = read_manifest(tmp_path / "out" / "dev.jsonl")
    assert sorted(clip.speaker for clip in dev) == ["bdl", "bdl", "slt", "slt"]
    assert len({clip.text for clip in dev}) == 2
    assert done.remarks == ("splits share no sentence, but speakers: of 2 too few can be held out",)


def test_a_voice_folder_of_any_name_is_its_speaker(tmp_path):
    root = tmp_path / "kathleen"
    write(root / "etc" / "txt.done.data", '( arctic_a0001 "Author of the danger trail." )')
    record(root / "wav" / "arctic_a0001.wav")
    assert make(root, tmp_path / "out.jsonl")[0][0].id == "kathleen-arctic_a0001"


def test_speechocean762_keeps_its_splits_scores_and_speakers(tmp_path):
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
    clips, done, lost = make(root, tmp_path / "out")
    assert [clip.id for clip in clips] == ["speechocean762-000010011", "speechocean762-000030012"]
    (train,) = read_manifest(tmp_path / "out" / "train.jsonl")
    assert train.speaker == "so0001" and train.text == "WE CALL IT BEAR" and done.form == "speechocean762"
    assert train.extra == {"gender": "m", "age": 6, "accuracy": 8, "fluency": 9, "total": 8}
    assert {each["reason"] for each in lost} == {
        "it has no line in train/text",
        "it has no line in test/text",
    }


def kaldi(root: Path, *places: str, segments: tuple[str, ...] = ()) -> Path:
    record(root / "sounds" / "a.wav", 3.0)
    write(root / "data" / "train" / "wav.scp", *places)
    write(root / "data" / "train" / "text", "a HELLO THERE", "a-1 ONE", "a-2 TWO")
    write(root / "data" / "train" / "utt2spk", "a ann", "a-1 ann", "a-2 ann")
    if segments:
        write(root / "data" / "train" / "segments", *segments)
    return root


def test_kaldi_directories_are_read_with_paths_from_wherever_the_recipe_ran(tmp_path):
    (clip,), done, _ = make(kaldi(tmp_path / "egs", "a sounds/a.wav"), tmp_path / "out.jsonl")
    assert (clip.id, clip.text, clip.speaker, done.form) == ("a", "HELLO THERE", "ann", "Kaldi")


def test_kaldi_segments_are_cut_out_of_their_recording(tmp_path):
    root = kaldi(tmp_path / "egs", "a sounds/a.wav", segments=("a-1 a 0.5 1.25", "a-2 a 2.0 -1", "a-3 a 1 2"))
    (one, two), _, lost = make(root / "data" / "train", tmp_path / "out.jsonl")
    assert (one.duration, two.duration) == (0.75, 1.0)
    assert one.audio.parent == tmp_path / "out-audio" and soundfile.info(one.audio).frames == 12000
    assert one.extra == {"recording": "a.wav", "start": 0.5, "end": 1.25}
    assert lost[0]["reason"] == "it has no line in train/text"


def test_a_command_in_a_kaldi_directory_is_refused_and_never_executed(tmp_path):
    sign = tmp_path / "executed"
    root = kaldi(tmp_path / "egs", f"a touch {sign}; cat sounds/a.wav |")
    with pytest.raises(ManifestError, match="recording cannot be found"):
        make(root, tmp_path / "out")
    assert not sign.exists()
    assert "commands from data are not executed" in (tmp_path / "out" / "dropped.jsonl").read_text()


COLUMNS = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment"
NEW_COLUMNS = "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\tlocale\tsegment"  # noqa: E501 (as published)


def common_voice_row(name: str, text: str) -> str:
    return f"ab{name}\tcommon_voice_en_{name}.mp3\t{text}\t2\t0\ttwenties\tfemale\t\ten\t"


def test_common_voice_reads_the_published_splits(tmp_path):
    root = tmp_path / "cv-corpus" / "en"
    for number in (1, 2, 3):
        record(root / "clips" / f"common_voice_en_{number}.mp3", 1.0, 32000)
    write(root / "train.tsv", COLUMNS, common_voice_row("1", 'He said "no".'), "torn\tline")
    write(root / "test.tsv", COLUMNS, common_voice_row("2", "Isn't it?"))
    write(root / "validated.tsv", COLUMNS, common_voice_row("3", "Validated."))
    clips, done, lost = make(root, tmp_path / "out")
    assert [clip.text for clip in clips] == ['He said "no".', "Isn't it?"] and done.form == "Common Voice"
    assert clips[0].duration == pytest.approx(1.0, abs=0.1) and clips[0].sample_rate == 32000
    assert (clips[0].speaker, clips[0].language) == ("ab1", "en")
    assert clips[0].extra == {"gender": "female", "age": "twenties"}
    assert "2 fields where 10 belong" in lost[0]["reason"]
    assert sorted(done.manifests) == ["test", "train"]


def test_common_voice_falls_back_on_what_was_validated_and_reads_a_single_table(tmp_path):
    root = tmp_path / "en"
    record(root / "clips" / "common_voice_en_3.mp3")
    row = "ab3\tcommon_voice_en_3.mp3\tf00\tValidated.\t\t2\t0\t\t\t\tGB\ten\t"
    table = write(root / "validated.tsv", NEW_COLUMNS, row)
    for source in (root, table):
        (clip,), done, _ = make(source, tmp_path / "out.jsonl")
        assert (clip.text, clip.extra, done.form) == ("Validated.", {"variant": "GB"}, "Common Voice")


def test_vctk_takes_the_first_microphone_and_names_texts_that_are_lost(tmp_path):
    root = tmp_path / "VCTK-Corpus-0.92"
    for name in ("p225/p225_001_mic1", "p225/p225_001_mic2", "p315/p315_001_mic1"):
        record(root / "wav48_silence_trimmed" / f"{name}.flac", rate=48000)
    write(root / "txt" / "p225" / "p225_001.txt", "Please call Stella.")
    write(root / "speaker-info.txt", "ID AGE GENDER ACCENTS", "p225 23 F English Southern England")
    (clip,), done, lost = make(root, tmp_path / "out.jsonl")
    assert (clip.id, clip.speaker, clip.text) == ("vctk-p225_001", "p225", "Please call Stella.")
    assert clip.extra == {"age": "23", "gender": "f", "accent": "English"} and done.form == "VCTK"
    assert "1 recordings of the second microphone" in done.remarks[0] and lost[0]["kind"] == "no transcript"


def test_a_folder_takes_texts_beside_and_speakers_from_subfolders(tmp_path):
    root = tmp_path / "recordings"
    record(root / "ann" / "1.wav").with_suffix(".txt").write_text("Hello\nthere.\n", "utf-8")
    record(root / "2.flac")
    record(root / "bob" / "3.wav").with_suffix(".txt").write_text("", "utf-8")
    record(root / "bob" / "4.wav").with_suffix(".lab").write_text("From a label.", "utf-8")
    record(root / "bob" / "5.wav").with_suffix(".normalized.txt").write_text("As LibriTTS.", "utf-8")
    record(root / "ann" / "1.mp3", rate=32000)
    write(root / "ann" / "9.txt", "Nobody recorded this.")
    write(root / "README.txt", "About all this.")
    found, done, lost = make(root, tmp_path / "out.jsonl")
    clips = {clip.id: clip for clip in found}
    assert sorted(clips) == ["2.flac", "ann/1.mp3", "bob/4.wav", "bob/5.wav"] and done.form == "folder"
    assert clips["ann/1.mp3"].text == "Hello there." and clips["ann/1.mp3"].speaker == "ann"
    assert clips["2.flac"].text is None and clips["2.flac"].speaker is None
    assert clips["bob/4.wav"].text == "From a label." and clips["bob/5.wav"].text == "As LibriTTS."
    assert {each["where"]: each["kind"] for each in lost} == {
        "bob/3.wav": "empty text",
        "ann/1.wav": "second copy",
        "ann/9.txt": "recording cannot be found",
    }


@pytest.mark.parametrize(
    ("name", "first", "text"),
    [
        ("train_manifest.json", {"audio_filepath": "a.wav", "duration": 0.5, "text": "Hello."}, "Hello."),
        ("list.jsonl", {"audio": "a.wav", "text": "Hello."}, "Hello."),
        ("metadata.jsonl", {"file_name": "a.wav", "transcription": "Hello."}, "Hello."),
        ("train.json", {"x": {"wav": "{data_root}/a.wav", "length": 0.5, "words": "HELLO"}}, "HELLO"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_lists_in_json_are_known_by_their_keys(tmp_path, name, first, text, alone):
    record(tmp_path / "in" / "a.wav")
    path = write(tmp_path / "in" / name, json.dumps(first))
    (clip,), _, lost = make(path if alone else path.parent, tmp_path / "out.jsonl")
    assert clip.text == text and clip.duration == 0.5 and not lost


def test_nemo_offsets_are_cut_and_rows_without_a_recording_are_told(tmp_path):
    record(tmp_path / "a.wav", 3.0)
    rows = [
        {"audio_filepath": "a.wav", "offset": 1.0, "duration": 0.5, "text": "Hello.", "lang": "en"},
        {"audio_filepath": "a.wav", "offset": 9.0, "duration": 0.5, "text": "Too late."},
        {"text": "Nothing."},
    ]
    path = write(tmp_path / "train.json", *map(json.dumps, rows), "{broken")
    (clip,), done, lost = make(path, tmp_path / "out.jsonl")
    assert (clip.id, clip.duration, clip.language, done.form) == ("a.wav@1", 0.5, "en", "NeMo")
    assert [each["kind"] for each in lost] == ["times are wrong", "column is missing", "row cannot be read"]


def test_speechbrain_tables_count_times_in_samples(tmp_path):
    record(tmp_path / "a.wav", 3.0)
    path = write(
        tmp_path / "train.csv",
        "ID,duration,wav,start,stop,spk_id,wrd",
        "one,1.0,$data_root/a.wav,16000,32000,ann,HELLO THERE",
    )
    (clip,), done, _ = make(path, tmp_path / "out.jsonl")
    assert (clip.id, clip.duration, clip.speaker, clip.text) == ("one", 1.0, "ann", "HELLO THERE")
    assert done.form == "SpeechBrain"


def test_hugging_face_folders_have_a_table_in_each_split(tmp_path):
    for split in ("train", "validation"):
        record(tmp_path / "in" / split / "a.wav")
        write(
            tmp_path / "in" / split / "metadata.csv", "file_name,transcription", f'a.wav,"In {split}, yes."'
        )
    clips, done, _ = make(tmp_path / "in", tmp_path / "out")
    assert done.form == "Hugging Face" and sorted(done.manifests) == ["dev", "train"]
    assert sorted(clip.text for clip in clips) == ["In train, yes.", "In validation, yes."]
    assert sorted(clip.id for clip in clips) == ["a.wav", "a.wav-2"]
    assert done.remarks == ("1 rows had the id of another row and got a new one",)


def test_parquet_holds_the_recordings_themselves(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    sound = record(tmp_path / "a.wav").read_bytes()
    rows = [
        {"audio": {"bytes": sound, "path": "a.wav"}, "sentence": "Hello.", "speaker_id": 7},
        {"audio": {"bytes": None, "path": None}, "sentence": "Nothing.", "speaker_id": 7},
    ]
    write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train-00000.parquet")
    (clip,), done, lost = make(tmp_path / "train-00000.parquet", tmp_path / "out")
    assert (clip.text, clip.speaker, clip.duration, done.form) == ("Hello.", "7", 0.5, "Parquet")
    assert clip.audio.parent == tmp_path / "out" / "audio" and clip.audio.read_bytes() == sound
    assert lost[0]["reason"] == "it has neither sound nor a path"


def test_lhotse_cuts_become_a_row_for_each_supervision(tmp_path):
    record(tmp_path / "a.wav", 3.0)
    source = {"type": "file", "channels": [0], "source": "a.wav"}
    recording = {
        "id": "r",
        "sources": [source],
        "sampling_rate": 16000,
        "num_samples": 48000,
        "duration": 3.0,
    }
    said = [
        {"id": f"s{n}", "start": n, "duration": 0.5, "text": f"Part {n}.", "speaker": "ann"} for n in (0, 1)
    ]
    cut = {"id": "c", "start": 0.5, "duration": 2.0, "supervisions": said, "recording": recording}
    command = {**cut, "recording": {**recording, "sources": [{**source, "type": "command"}]}}
    path = write(tmp_path / "cuts.jsonl", json.dumps(cut), json.dumps(command), "[]")
    (one, two), done, lost = make(path, tmp_path / "out.jsonl")
    assert (one.text, two.text, two.speaker, done.form) == ("Part 0.", "Part 1.", "ann", "Lhotse")
    assert one.extra["start"] == 0.5 and two.extra["start"] == 1.5 and two.duration == 0.5
    assert "'command'" in lost[0]["reason"] and "not an object" in lost[1]["reason"]


def test_subtitles_beside_a_film_are_cut_at_sentences(tmp_path):
    record(tmp_path / "in" / "film.wav", 12.0)
    write(
        tmp_path / "in" / "film.en.srt",
        *("1", "00:00:01,000 --> 00:00:02,000", "<i>When they</i>", ""),
        *("2", "00:00:02,100 --> 00:00:03,500", "came home,", "all was quiet.", ""),
        *("3", "00:00:04,000 --> 00:00:05,000", "[door slams]", ""),
        *("4", "00:00:06,000 --> 00:00:07,000", "- ANNA: Who is it? &amp; why?", ""),
        *("5", "00:00:20,000 --> 00:00:21,000", "Beyond the end.", ""),
    )
    found, _, lost = make(tmp_path / "in", tmp_path / "out.jsonl")
    assert [clip.text for clip in found] == ["When they came home, all was quiet.", "Who is it? & why?"]
    assert found[0].duration == pytest.approx(2.9, abs=0.01)  # a margin of 0.2 s on either side
    assert {each["kind"] for each in lost} == {"no speech in a cue", "times are wrong"}


def test_webvtt_names_who_speaks(tmp_path):
    record(tmp_path / "talk.wav", 6.0)
    write(
        tmp_path / "talk.vtt",
        *("WEBVTT", "", "NOTE made by hand", "", "intro", "00:01.000 --> 00:02.000 align:start"),
        *("<v Ann>Good morning.</v>", "", "00:02.100 --> 00:03.000", "<v Bob>Hello, <00:02.500>Ann."),
    )
    found, _, _ = make(tmp_path / "talk.wav", tmp_path / "out.jsonl")
    assert [(c.speaker, c.text) for c in found] == [("Ann", "Good morning."), ("Bob", "Hello, Ann.")]


def test_labels_of_audacity_are_known_from_texts(tmp_path):
    record(tmp_path / "in" / "talk.wav", 6.0)
    write(tmp_path / "in" / "talk.txt", "0,5\t1,5\tGood morning.", "\\\t100\t900", "3.0\t2.0\tBackwards.")
    (clip,), _, lost = make(tmp_path / "in", tmp_path / "out.jsonl")
    assert (clip.text, clip.duration) == ("Good morning.", 1.0) and lost[0]["kind"] == "times are wrong"


LONG_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 3
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 3
            text = "a"
    item [2]:
        class = "IntervalTier"
        name = "NAME"
        xmin = 0
        xmax = 3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "Say"
        intervals [2]:
            xmin = 1
            xmax = 1.5
            text = "sp"
        intervals [3]:
            xmin = 1.6
            xmax = 3
            text = "it ""now""."
"""
SHORT_GRID = """"ooTextFile"
"TextGrid"
0
3
<exists>
1
"IntervalTier"
"NAME"
0
3
2
0
1
"Say"
1.6
3
"it ""now""."
"""


@pytest.mark.parametrize("grid", [LONG_GRID, SHORT_GRID])
@pytest.mark.parametrize(
    ("tier", "texts"), [("sentence", ["Say", 'it "now".']), ("words", ["Say", 'it "now".'])]
)
def test_textgrids_are_read_long_and_short(tmp_path, grid, tier, texts):
    record(tmp_path / "in" / "a.wav", 3.0)
    (tmp_path / "in" / "a.TextGrid").write_text(grid.replace("NAME", tier), "utf-16")
    found, _, _ = make(tmp_path / "in", tmp_path / "out.jsonl")
    assert [clip.text for clip in found] == texts


def test_what_is_no_data_set_is_said_with_the_forms_that_there_are(tmp_path):
    with pytest.raises(ManifestError, match=r"holds no recordings .* LibriSpeech, .* folder"):
        prepare(tmp_path, tmp_path / "out")
    with pytest.raises(ManifestError, match="does not exist"):
        prepare(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ManifestError, match="'shorten' is no form of data"):
        prepare(tmp_path, tmp_path / "out", PrepareOptions(form="shorten"))
