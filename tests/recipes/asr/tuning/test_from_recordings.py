from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from recipes import reproduce
from recipes.asr.tuning import judging
from recipes.asr.tuning.from_recordings import Options, list_recordings, train_recognizer
from recipes.asr.tuning.guard import Verdict
from voice.errors import ManifestError, ModelError, VoiceError
from voice.manifest import read_manifest
from voice.models.card import read_card

CHECKOUT = Path(__file__).parents[4]
TINY, DEV = CHECKOUT / "data/tiny/train.jsonl", CHECKOUT / "data/tiny/dev.jsonl"


def options(run: Path, **changed) -> Options:
    whole = Options(
        TINY, "shop", run, general=(f"{TINY}:4",), general_dev=(f"{DEV}:2",), threads=1, smoke=True,
        command="voice train recognizer data/tiny/train.jsonl --name shop --smoke",
    )  # fmt: skip
    return dataclasses.replace(whole, **changed)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory) -> Path:
    """The folder of a training in which a random model has gained nothing."""
    run = tmp_path_factory.mktemp("shop")
    told: list[str] = []
    outcome = train_recognizer(options(run), told.append)
    assert outcome.model is None and outcome.summary.startswith("nothing was gained")
    assert any("labels against what is recognized" in line for line in told)
    return run


def test_without_a_gain_no_model_is_made_and_the_report_says_why(tuned):
    assert not (tuned / "judge" / "shop").exists()
    page = (tuned / "judge" / "report.html").read_text("utf-8")
    assert "nothing was gained" in page and "<audio" in page and "<script" not in page


def test_what_was_done_is_not_done_again(tuned, monkeypatch):
    def fail(*arguments, **others):
        raise AssertionError("it was done already")

    monkeypatch.setattr("recipes.asr.tuning.train.main", fail)
    monkeypatch.setattr("recipes.asr.tuning.judging.judge_run", fail)
    assert train_recognizer(options(tuned), lambda line: None).model is None


def test_what_has_gained_is_published_with_its_card(tuned, tmp_path, monkeypatch):
    def judge(base, read):
        candidate = read(1.0)
        return Verdict(base, (candidate,), (candidate,), "so this test has it")

    run_recognizer = judging.run_recognizer

    def run(name, examples, language, threads):
        found = run_recognizer(name, examples, language, threads)
        if not name.endswith("base"):
            return found
        worse = tuple(dataclasses.replace(each, errors=each.errors + 1) for each in found.reading.scores)
        return dataclasses.replace(found, reading=dataclasses.replace(found.reading, scores=worse))

    monkeypatch.setattr(judging, "judge", judge)
    monkeypatch.setattr(judging, "run_recognizer", run)
    outcome = train_recognizer(options(tuned, out=tmp_path / "mine"), lambda line: None)
    assert outcome.model == tmp_path / "mine"
    card = read_card(outcome.model)
    assert card.name == "shop" and card.options["context"] == "utterance"
    assert card.scores["dev WER"] < card.scores["dev WER before"]
    assert card.training["command"].startswith("voice train recognizer")
    check = reproduce.Options(model=str(outcome.model), run=tuned)
    again = [each for each in reproduce.reproduce(check) if each.now is not None]
    assert [each.name for each in again] == ["dev WER", "general WER"]
    assert not any(each.differs(1e-4) for each in again)


def test_what_does_not_hold_as_it_runs_is_taken_away(tuned, tmp_path, monkeypatch):
    def judge(base, read):
        candidate = read(1.0)
        return Verdict(base, (candidate,), (candidate,), "so this test has it")

    monkeypatch.setattr(judging, "judge", judge)
    made = tmp_path / "mine"
    found = judging.judge_run(judging.Options(tuned / "tune", "shop", made, threads=1), lambda line: None)
    assert found.model is None and "does not hold as the recognizer runs" in found.reason
    assert not made.exists()


def test_where_the_best_share_does_not_hold_the_next_is_tried(tuned, tmp_path, monkeypatch):
    def judge(base, read):
        candidates = read(1.0), read(0.5)
        return Verdict(base, candidates, candidates, "so this test has it")

    held = iter([False, True])
    monkeypatch.setattr(judging, "judge", judge)
    monkeypatch.setattr(judging, "compare_as_run", lambda scale, *others: (next(held), [f"share {scale}"]))
    made, told = tmp_path / "mine", []
    found = judging.judge_run(judging.Options(tuned / "tune", "shop", made, threads=1), told.append)
    assert found.model == made and (made / "model.toml").exists()
    assert found.verdict.best.scale == 0.5 and {"share 1.0", "share 0.5"} <= set(told) & set(found.lines)


def test_a_model_that_there_is_keeps_its_name(tmp_path):
    with pytest.raises(ModelError, match="quick"):
        train_recognizer(options(tmp_path, name="quick"), lambda line: None)


def test_something_to_learn_from_is_wanted(tmp_path):
    with pytest.raises(VoiceError, match="--words"):
        train_recognizer(options(tmp_path, source=None), lambda line: None)


def test_a_manifest_is_split_and_rows_without_a_transcript_are_left_out(tmp_path):
    rows = [json.loads(line) for line in TINY.read_text("utf-8").splitlines()]
    for row in rows:
        row["audio"] = str(TINY.parent / row["audio"])
    rows[3]["transcribed_by"] = "quick"
    source = tmp_path / "set.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    told: list[str] = []
    train, dev = list_recordings(options(tmp_path, source=source), tmp_path / "out", told.append)
    ids = [{clip.id for clip in read_manifest(path)} for path in (train, dev)]
    assert not ids[0] & ids[1] and len(ids[0] | ids[1]) == len(rows) - 1
    assert any("1 recordings without a transcript" in line for line in told)
    alone = options(tmp_path, source=source, dev=(str(DEV),))
    whole, none = list_recordings(alone, tmp_path / "all", told.append)
    assert none is None and len(read_manifest(whole)) == len(rows) - 1


def test_recordings_in_another_language_are_left_out_and_told(tmp_path):
    rows = [json.loads(line) for line in TINY.read_text("utf-8").splitlines()]
    rows = [{**row, "audio": str(TINY.parent / row["audio"])} for row in rows]
    rows[0]["language"], rows[1]["language"] = "de", "English"
    source, told = tmp_path / "mine.jsonl", list[str]()
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    own, held_out = list_recordings(options(tmp_path, source=source), tmp_path, told.append)
    assert held_out is not None
    assert len(read_manifest(own)) + len(read_manifest(held_out)) <= len(rows) - 1
    assert any("1 recordings in de" in line for line in told)
    with pytest.raises(ManifestError, match="not in fr"):
        list_recordings(options(tmp_path, source=source, language="fr"), tmp_path / "fr", told.append)


def test_nothing_is_learned_from_what_is_measured_on(tmp_path):
    source, told = tmp_path / "mine.jsonl", list[str]()
    rows = [json.loads(line) for line in TINY.read_text("utf-8").splitlines()]
    rows = [{**row, "audio": str(TINY.parent / row["audio"])} for row in rows]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    test = tmp_path / "test.jsonl"
    test.write_text("".join(json.dumps(row) + "\n" for row in rows[:3]), "utf-8")
    asked = options(tmp_path, source=source, dev=(str(DEV),), test=(str(test),))
    own, _ = list_recordings(asked, tmp_path / "out", told.append)
    assert len(read_manifest(own)) == len(rows) - 3
    assert any("3 recordings that are in" in line for line in told)


@pytest.mark.parametrize("language", ["klingon", "auto", ""])
def test_what_is_no_language_is_refused_before_any_work(tmp_path, language):
    with pytest.raises(VoiceError, match="language"):
        train_recognizer(options(tmp_path / "run", language=language), lambda line: None)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"source": Path("/nowhere")},
        {"words": Path("/nowhere.txt")},
        {"dev": ("/nowhere.jsonl",)},
        {"test": ("/nowhere.jsonl:4",)},
        {"base": "nothing-called-so"},
        {"base": "kathleen"},
        {"voices": ("heart", "nobody")},
    ],
)
def test_a_mistyped_option_ends_before_the_folder_is_touched(tmp_path, changed):
    with pytest.raises(VoiceError):
        train_recognizer(options(tmp_path / "run", **changed), lambda line: None)
    assert not (tmp_path / "run").exists()


def test_too_few_recordings_are_refused(tmp_path):
    row = json.loads(TINY.read_text("utf-8").splitlines()[0])
    row["audio"] = str(TINY.parent / row["audio"])
    (tmp_path / "few.jsonl").write_text(json.dumps(row), "utf-8")
    with pytest.raises(ManifestError, match="too few"):
        list_recordings(options(tmp_path, source=tmp_path / "few.jsonl"), tmp_path / "out", print)
