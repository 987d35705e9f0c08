"""Networks of the Hub, small and of the real classes: trained on a few clips, exported, read back."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from fakes.cli import run as voice
from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns

from data.batching import Share
from recipes import reproduce
from recipes.evaluations import fingerprint
from recipes.finetune import adapting, export, smoke, train
from recipes.finetune.adapting import AdaptOptions
from recipes.scaling import ScaleOptions
from voice import audio
from voice.asr.whisper.recognizer import DecodingOptions, Whisper
from voice.errors import ManifestError, VoiceError
from voice.manifest import read_manifest, write_manifest
from voice.metrics import total, word_errors
from voice.models.card import read_card

TINY = Path(__file__).parents[3] / "data/tiny/train.jsonl"
CTC, WRITING = dict(steps=60, rate=1e-2), dict(steps=90, rate=1e-2)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> str:
    """Two short clips."""
    path = tmp_path_factory.mktemp("clips") / "train.jsonl"
    write_manifest(path, read_manifest(TINY)[:2])
    return str(path)


def options(manifest: str, out: Path, **changed) -> train.Options:
    whole = train.Options(manifest=(manifest,), dev=(manifest,), out=out, smoke=True, steps=5, threads=1)
    return dataclasses.replace(whole, **changed)


def learned(network: str, manifest: str, out: Path, *, steps: int, rate: float, **changed) -> Path:
    """Train a small network on the clips until it knows them, and export it; its folder."""
    base = smoke.base(network, out)
    given = options(
        manifest, out / "run", base=str(base), smoke=False, steps=steps, rate=rate, masks=False, warmup=10,
        save_every=steps, check_every=steps, **changed,
    )  # fmt: skip
    train.main(given)
    export.main(export.ExportOptions(run=out / "run", out=out / "model", name="mine"))
    return out / "model"


def heard(folder: Path, manifest: str, out: Path) -> tuple[float, list[dict]]:
    """What `voice transcribe --model hf:FOLDER` writes of the clips, and its errors per word."""
    clips = read_manifest(manifest)
    sounds = [clip.audio for clip in clips]
    done = voice("transcribe", *sounds, "--model", f"hf:{folder}", "-o", f"{out}/", "-f", "json")
    assert done.exit_code == 0, done.output
    found = [json.loads((out / f"{clip.audio.stem}.json").read_text()) for clip in clips]
    pairs = zip(clips, found, strict=True)
    return total(word_errors(clip.text or "", each["text"]) for clip, each in pairs).rate, found


@pytest.mark.parametrize("network", ["wav2vec2", "hubert", "wavlm", "parakeet"])
def test_a_network_with_ctc_learns_clips_and_is_read_back_with_times(network, manifest, tmp_path):
    folder = learned(network, manifest, tmp_path, **CTC)
    card = read_card(folder)
    assert (card.kind, card.engine, card.language) == ("recognizer", "transformers", "en")
    rate, found = heard(folder, manifest, tmp_path / "texts")
    assert rate == 0.0
    words = [word for each in found for segment in each["segments"] for word in segment["words"]]
    assert len(words) == 6 and all(word["end"] > word["start"] for word in words)


def test_an_export_reproduces_the_score_of_its_card(manifest, tmp_path):
    folder = learned("wav2vec2", manifest, tmp_path, steps=2, rate=1e-3)
    rate, table = heard(folder, manifest, tmp_path / "texts")[0], tmp_path / "scores.json"
    row = {"model": str(folder), "manifest": "my test", "rate": rate, "data": fingerprint(manifest)}
    table.write_text(json.dumps([row]))
    export.main(
        export.ExportOptions(run=tmp_path / "run", out=folder, base=str(tmp_path / "base"), scores=table)
    )
    asked = reproduce.Options(model=str(folder), among=(Path(manifest),))
    assert list(reproduce.reproduce(asked)) == [reproduce.Reproduced("my test WER", rate, rate)]


def test_moonshine_learns_clips_and_is_read_back(manifest, tmp_path):
    folder = learned("moonshine", manifest, tmp_path, **WRITING)
    assert read_card(folder).options["tokens_per_second"] > 15  # bytes: many more than pieces of words
    rate, found = heard(folder, manifest, tmp_path / "texts")
    assert rate == 0.0 and found[0]["segments"][0]["end"] <= found[0]["duration"]


def test_whisper_learns_clips_and_is_read_back_by_ctranslate2(manifest, tmp_path, monkeypatch):
    # To who knows two sentences alone nothing is as likely as their end, which fills a wider beam at once.
    greedy = partial(Whisper.open, options=DecodingOptions(beam_size=1))
    monkeypatch.setattr(Whisper, "open", greedy)
    folder = learned("whisper", manifest, tmp_path, steps=60, rate=5e-3)
    assert not (folder / "model.toml").exists()
    assert heard(folder, manifest, tmp_path / "texts")[0] == 0.0
    assert list((tmp_path / "cache" / "models").glob("*/model.bin"))


def test_whisper_with_128_bands_is_read_back_too(manifest, tmp_path):
    folder = learned("whisper-128", manifest, tmp_path, steps=2, rate=1e-3)
    assert len(heard(folder, manifest, tmp_path / "texts")[1]) == 2


def test_an_encoder_of_speechbrain_learns_clips_and_is_read_back_by_both(manifest, tmp_path):
    pytest.importorskip("speechbrain")
    from speechbrain.inference.ASR import EncoderASR

    folder = learned("speechbrain", manifest, tmp_path, **WRITING)
    assert read_card(folder).engine == "speechbrain"
    assert heard(folder, manifest, tmp_path / "texts")[0] == 0.0
    theirs = EncoderASR.from_hparams(source=str(folder), savedir=str(tmp_path / "theirs"))
    samples = audio.read(read_manifest(manifest)[0].audio, 16_000).samples
    words, _ = theirs.transcribe_batch(torch.from_numpy(samples)[None], torch.ones(1))
    assert words[0] == "good morning"


def test_speecht5_learns_to_speak_as_one_person_and_is_read_back(manifest, tmp_path):
    pytest.importorskip("sentencepiece")
    folder = learned("speecht5", manifest, tmp_path, steps=130, rate=5e-3)
    assert torch.load(tmp_path / "run" / "best.pt", weights_only=True)["scores"]["loss"] < 1.0
    done = voice("speak", "Good morning.", "--voice", f"hf:{folder}", "-o", tmp_path / "said.wav")
    assert done.exit_code == 0, done.output
    assert 0.5 < audio.length(str(tmp_path / "said.wav")) < 1.5
    assert sorted(each.name for each in folder.glob("*.safetensors")) == [
        "model.safetensors", "speaker.safetensors", "vocoder.safetensors",
    ]  # fmt: skip


def test_a_pretrained_encoder_gets_the_letters_of_the_transcripts(manifest, tmp_path):
    folder = learned("wav2vec2-pretrained", manifest, tmp_path, **CTC, adapt=AdaptOptions(freeze="features"))
    assert heard(folder, manifest, tmp_path / "texts")[0] == 0.0
    assert "g" in json.loads((folder / "vocab.json").read_text())


@pytest.mark.parametrize("network", ["wav2vec2", "whisper", "wavlm"])
def test_low_rank_additions_learn_and_are_merged(network, manifest, tmp_path):
    given = options(manifest, tmp_path / "run", network=network, adapt=AdaptOptions(rank=4))
    train.main(given)
    saved = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["parts"]["weights"]
    assert saved and all("/lora_" in name for name in saved)
    assert all(weight.abs().sum() > 0 for name, weight in saved.items() if "/lora_B/" in name)
    exporting = export.ExportOptions(run=tmp_path / "run", out=tmp_path / "model", name="mine")
    task, _ = export.open_trained(tmp_path / "run", exporting)
    names = set(dict(task.module.named_parameters()))
    assert not any("lora" in name for name in names)
    plain = train.open_adapted(options(manifest, tmp_path / "run"), tmp_path / "run" / "base")
    assert names == set(dict(plain.module.named_parameters()))


def test_resumed_equals_uninterrupted(manifest, tmp_path):
    def run(out: Path) -> None:
        smoke.base("wav2vec2", out)
        train.main(options(manifest, out, adapt=AdaptOptions(rank=2, checkpointing=True), steps=5))

    assert_resumed_equals_uninterrupted(run, tmp_path, saves=3)


def test_two_processes_learn_what_one_learns(manifest, tmp_path):
    base = smoke.base("wav2vec2", tmp_path)
    given = options(
        manifest, tmp_path, base=str(base), smoke=False, masks=True, batch_seconds=1.0, steps=3, rate=1e-3,
        save_every=3, check_every=3,
    )  # fmt: skip
    assert_two_processes_learn_what_one_learns("recipes.finetune.train", given, tmp_path, weights="weights")
    both = [torch.load(tmp_path / name / "best.pt", weights_only=True) for name in ("alone", "together")]
    assert [each["step"] for each in both] == [3, 3]


def test_each_batch_is_one_process_s_and_all_clips_are_covered_once(manifest, tmp_path):
    task = train.open_adapted(options(manifest, tmp_path), smoke.base("wav2vec2", tmp_path))
    given = options(manifest, tmp_path, batch_seconds=1.0)
    clips = train.Recordings(read_manifest(TINY)[:6], task, "train")
    alone, first, second = (
        [[number for number, _ in step] for step in islice(train.batches(clips, task, 0, given, share), 3)]
        for share in (Share(0, 1, 2), Share(0, 2), Share(1, 2))
    )
    assert alone == [[a, b] for (a,), (b,) in zip(first, second, strict=True)] == [[0, 1], [2, 3], [4, 5]]


def test_a_dry_run_plans_and_leaves_nothing(manifest, tmp_path, capsys):
    out = tmp_path / "run"
    train.main(options(manifest, out, scale=ScaleOptions(dry_run=8)))
    assert "8 devices × 1 batches a step" in capsys.readouterr().out
    assert not (out / "run.toml").exists() and not (out / "last.pt").exists()


def test_what_is_frozen_stays_as_it_was(manifest, tmp_path):
    given = options(manifest, tmp_path, adapt=AdaptOptions(freeze="encoder"))
    task = train.open_adapted(given, smoke.base("wav2vec2", tmp_path))
    assert {name.split("/")[0] for name in adapting.trainable(task.module)} == {"lm_head"}
    with pytest.raises(VoiceError, match="no features to freeze; it has encoder"):
        other = options(manifest, tmp_path / "x", adapt=AdaptOptions(freeze="features"))
        train.open_adapted(other, smoke.base("speecht5", tmp_path / "x"))


def test_clips_that_cannot_be_learned_are_counted_and_without_any_it_ends(manifest, tmp_path, capsys):
    task = train.open_adapted(options(manifest, tmp_path), smoke.base("wav2vec2", tmp_path))
    good, *_ = clips = read_manifest(manifest)
    bad = [dataclasses.replace(good, text="東京"), dataclasses.replace(good, text="a" * 500)]
    assert len(train.Recordings([*clips, *bad], task, "train")) == len(clips)
    assert "train: 2 clips are left out" in capsys.readouterr().out
    with pytest.raises(VoiceError, match="nothing is left"):
        train.Recordings(bad, task, "train")
    write_manifest(tmp_path / "none.jsonl", [dataclasses.replace(good, text=None)])
    with pytest.raises(ManifestError, match="no clip with a transcript"):
        train.read_transcribed([str(tmp_path / "none.jsonl")])


def test_a_run_is_exported_from_its_own_base_alone(manifest, tmp_path):
    train.main(options(manifest, tmp_path / "run"))
    other = smoke.base("hubert", tmp_path / "other")
    exporting = export.ExportOptions(run=tmp_path / "run", out=tmp_path / "model", base=str(other))
    with pytest.raises(VoiceError, match="did not start from"):
        export.main(exporting)


def test_what_is_not_trained_here_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert"}')
    with pytest.raises(VoiceError, match="holds BertModel, which is not trained here"):
        train.open_adapted(options("x", tmp_path / "run"), tmp_path)
