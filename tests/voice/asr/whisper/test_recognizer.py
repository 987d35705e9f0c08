from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.asr.ctc.head import greedy_letters
from voice.asr.whisper.recognizer import DecodingOptions, Whisper
from voice.asr.whisper.tokenizer import Tokenizer
from voice.errors import AudioError, ModelDamaged, ModelMissing, VoiceError
from voice.types import Audio


class CodePoints:
    """A fake tokenizer: tokens are code points."""

    end = 1000
    without_times = 1003
    languages = frozenset({"en", "fi"})
    last_time = Tokenizer.last_time

    def start_sequence(self, language: str, task: str) -> list[int]:
        return [1001, 1002]

    def prompt(self, hotwords: Sequence[str]) -> list[int]:
        return [1004] if hotwords else []

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))


@dataclass
class Result:
    """What CTranslate2 returns for one row."""

    said: str
    log_probability: float = -0.1
    no_speech_prob: float = 0.0
    times: tuple[float, ...] = ()  # seconds, written after the text
    logits: tuple = ()

    @property
    def sequences_ids(self) -> list[list[int]]:
        times = [CodePoints.without_times + 1 + round(seconds / 0.02) for seconds in self.times]
        return [[*(ord(letter) for letter in self.said), *times]]

    @property
    def scores(self) -> list[float]:
        return [self.log_probability * (len(self.said) + 1) / max(1, len(self.said))]


@dataclass
class Script:
    """A fake model that says what is written, whatever it hears."""

    results: list[Result]
    is_multilingual: bool = True
    n_mels: int = 80
    searches: list[dict] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def encode(self, features, to_cpu: bool):
        self.shapes.append(tuple(features.shape))
        return np.zeros((features.shape[0], 4, 2), np.float32)

    def generate(self, encoded, prompts: list[list[int]], **options) -> list[Result]:
        self.searches.append({"prompts": prompts, **options})
        return [self.results.pop(0) for _ in prompts]

    def detect_language(self, encoded) -> list[list[tuple[str, float]]]:
        return [[("<|fi|>", 0.6), ("<|en|>", 0.4)], [("<|en|>", 0.9), ("<|fi|>", 0.1)]][: encoded.shape[0]]


def hear(script: Script, count: int = 1, *, context: str = "full", **options) -> list[str]:
    recognizer = Whisper(script, CodePoints(), context, DecodingOptions())
    speech = Audio(np.zeros(16000, np.float32), 16000)
    heard = recognizer.transcribe_batch([speech] * count, words=False, **options)
    return [transcript.text for transcript in heard]


def test_a_likely_result_is_believed_at_once() -> None:
    script = Script([Result("hello")])
    assert hear(script) == ["hello"]
    assert script.searches[0]["beam_size"] == 1


def test_silence_has_no_words() -> None:
    script = Script([Result("thank you", log_probability=-1.5, no_speech_prob=0.9)])
    assert hear(script) == [""]
    assert len(script.searches) == 1


def test_what_repeats_itself_is_searched_again_without_repetition() -> None:
    script = Script([Result("no no " * 40), Result("no no")])
    assert hear(script) == ["no no"]
    assert script.searches[1]["no_repeat_ngram_size"] == 3
    assert script.searches[1]["beam_size"] > 1


def test_a_loop_is_searched_again_without_the_times_that_hide_its_repeats() -> None:
    script = Script([Result("no no " * 40, times=(6.0,)), Result("no no")])
    hear(script)
    assert script.searches[0]["prompts"] == [[1001, 1002]]
    assert script.searches[1]["prompts"] == [[1001, 1002, 1003]]


def test_what_still_repeats_itself_is_cut_to_one_phrase() -> None:
    script = Script([Result("no " * 60), Result("oh no " * 30, log_probability=-0.3)])
    assert hear(script) == ["oh no"]


def test_what_loops_and_is_unsure_without_the_loop_is_silence() -> None:
    script = Script([Result("no " * 60), Result("what is it?", log_probability=-1.2)])
    assert hear(script) == [""]


def test_a_sentence_with_a_loop_in_it_is_kept_without_the_loop() -> None:
    sentence = "we went to sea no no no no no and then we came home to have our tea at last"
    script = Script([Result(sentence), Result("what is it?", log_probability=-1.2)])
    assert hear(script) == ["we went to sea no and then we came home to have our tea at last"]


def test_only_the_doubtful_row_of_a_batch_is_searched_again() -> None:
    script = Script([Result("one"), Result("tow", log_probability=-1.2), Result("two")])
    assert hear(script, 2) == ["one", "two"]
    assert [len(search["prompts"]) for search in script.searches] == [2, 1]


def test_a_language_is_detected_for_the_whole_batch() -> None:
    speech = Audio(np.zeros(16000, np.float32), 16000)
    recognizer = Whisper(Script([Result("a"), Result("b")]), CodePoints(), "full", DecodingOptions())
    assert [t.language for t in recognizer.transcribe_batch([speech] * 2, words=False)] == ["en", "en"]
    recognizer = Whisper(Script([Result("a")]), CodePoints(), "full", DecodingOptions())
    assert recognizer.transcribe(speech, words=False).language == "fi"


def test_a_recognizer_tuned_to_one_language_detects_none_and_refuses_others() -> None:
    recognizer = Whisper(Script([Result("a")]), CodePoints(), "utterance", DecodingOptions(), "en")
    speech = Audio(np.zeros(16000, np.float32), 16000)
    assert recognizer.transcribe(speech, words=False).language == "en"
    with pytest.raises(VoiceError, match="only transcribes 'en'"):
        recognizer.transcribe(speech, language="fi")
    with pytest.raises(VoiceError, match="only transcribes 'en'"):
        recognizer.transcribe(speech, task="translate")


def test_hotwords_open_the_prompt() -> None:
    script = Script([Result("a")])
    hear(script, hotwords=["Kubernetes"])
    assert script.searches[0]["prompts"] == [[1004, 1001, 1002]]


def test_hotwords_in_another_script_are_told_to_the_decoder_and_stop_no_head() -> None:
    script = Script([Result("a")])
    hear(script, hotwords=["東京"], language="fi")
    assert script.searches[0]["prompts"] == [[1004, 1001, 1002]]


def hear_ten_seconds(*results: Result) -> tuple[str, list[tuple[float, float]]]:
    recognizer = Whisper(Script(list(results)), CodePoints(), "full", DecodingOptions())
    heard = recognizer.transcribe(Audio(np.zeros(160_000, np.float32), 16000), language="en", words=False)
    assert heard.duration == 10.0
    return heard.text, [(segment.start, segment.end) for segment in heard.segments]


def test_what_comes_after_the_time_where_the_decoder_left_off_is_heard_too() -> None:
    text, times = hear_ten_seconds(Result("one", times=(4.0, 4.0)), Result("two", times=(6.0,)))
    assert text == "one two"
    assert times == [(0.0, 4.0), (4.0, 10.0)]


def test_speech_long_after_the_last_time_is_heard_too_but_a_breath_is_not() -> None:
    assert hear_ten_seconds(Result("one", times=(5.0,)), Result("two"))[0] == "one two"
    assert hear_ten_seconds(Result("one", times=(8.0,)))[0] == "one"
    assert hear_ten_seconds(Result("one", times=(9.6, 9.6)))[0] == "one"


def test_a_decoder_that_leaves_off_at_once_does_not_go_round_in_circles() -> None:
    assert hear_ten_seconds(Result("one", times=(0.0, 0.0)))[0] == "one"


def test_only_the_original_may_write_times_between_words() -> None:
    full, short = Script([Result("a")]), Script([Result("a")])
    hear(full)
    hear(short, context="utterance")
    assert full.searches[0]["prompts"] == [[1001, 1002]]
    assert short.searches[0]["prompts"] == [[1001, 1002, 1003]]


def test_the_utterance_context_shows_the_utterance_and_a_margin() -> None:
    full, short = Script([Result("a")]), Script([Result("a")])
    hear(full)
    hear(short, context="utterance")
    assert full.shapes == [(1, 80, 3000)]
    assert short.shapes == [(1, 80, 130)]


class FakeHead:
    """A fake head that reads one text after the other, from half a second on, five letters a second."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.calls = texts, 0

    def __call__(self, encoded: np.ndarray) -> np.ndarray:
        labels = spell(self.texts[min(self.calls, len(self.texts) - 1)]).labels
        self.calls += 1
        chances = np.full((len(encoded), 515, CLASSES), 1e-4)
        chances[..., BLANK] = 0.99
        for number, label in enumerate(labels):
            chances[:, 25 + 10 * number, [BLANK, label]] = 0.01, 0.98
        return np.log(chances).astype(np.float32)


def read_ten_seconds(head: FakeHead, *results: Result, language: str = "en") -> tuple[str, Script]:
    script = Script(list(results))
    recognizer = Whisper(script, CodePoints(), "full", DecodingOptions(), head=head)
    heard = recognizer.transcribe(Audio(np.zeros(160_000, np.float32), 16000), language=language, words=False)
    return heard.text, script


def test_what_the_head_heard_nothing_of_was_not_said() -> None:
    assert read_ten_seconds(FakeHead(""), Result("thank you for watching"), Result("thank you"))[0] == ""
    assert read_ten_seconds(FakeHead("thank you"), Result("thank you"))[0] == "thank you"


def test_what_is_nothing_like_what_the_head_read_is_searched_again() -> None:
    text, script = read_ten_seconds(FakeHead("one two"), Result("the cat sat on it"), Result("one two"))
    assert text == "one two"
    assert script.searches[1]["no_repeat_ngram_size"] == 3


def test_what_the_head_read_after_the_last_word_is_heard_too() -> None:
    head = FakeHead("one two three four five", "three four five")
    text, script = read_ten_seconds(head, Result("one two"), Result(" 3 4 5"))
    assert text == "one two 3 4 5" and len(script.searches) == 2


def test_a_head_judges_english_only() -> None:
    head = FakeHead("")
    assert read_ten_seconds(head, Result("kiitos"), language="fi")[0] == "kiitos"


def test_letters_are_given_without_the_decoder_where_there_is_a_head() -> None:
    speech = Audio(np.zeros(32_000, np.float32), 16000)
    script = Script([])
    whisper = Whisper(script, CodePoints(), "utterance", DecodingOptions(), "en", head=FakeHead("one"))
    log_probs = whisper.letter_log_probs(speech)
    assert log_probs.shape == (115, CLASSES) and greedy_letters(log_probs) == "one"
    with pytest.raises(VoiceError, match="no CTC head"):
        Whisper(script, CodePoints(), "full", DecodingOptions()).letter_log_probs(speech)


def test_more_than_thirty_seconds_and_missing_folders_are_refused(tmp_path: Path) -> None:
    recognizer = Whisper(Script([]), CodePoints(), "full", DecodingOptions())
    with pytest.raises(AudioError, match="31.0 s"):
        recognizer.transcribe(Audio(np.zeros(31 * 16000, np.float32), 16000))
    with pytest.raises(ModelMissing, match="voice models get"):
        Whisper.open(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(ModelDamaged):
        Whisper.open(tmp_path)


@pytest.fixture(scope="module")
def tiny(whisper_tiny: Path) -> Whisper:
    return Whisper.open(whisper_tiny, threads=1)


@pytest.fixture(scope="module")
def sentence(corpora: Path) -> Audio:
    return audio.read(corpora / "kathleen/test/arctic_a0003.flac")


def test_real_speech_becomes_words_with_times(tiny: Whisper, sentence: Audio) -> None:
    transcript = tiny.transcribe(sentence)
    assert transcript.text.lower() == "for the 20th time that evening, the two men shook hands."
    assert transcript.language == "en"
    words = transcript.words
    assert [word.text for word in words] == transcript.text.split()
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 0 <= times[0] < 0.5 and sentence.duration - 0.6 < times[-1] <= sentence.duration
    assert all(0 < word.confidence <= 1 for word in words)


def test_a_sentence_that_is_decoded_in_two_parts_is_whole(whisper_base: Path, corpora: Path) -> None:
    speech = audio.read(corpora / "ljspeech/test/LJ002-0082.flac")
    heard = Whisper.open(whisper_base, threads=1).transcribe(speech, language="en")
    assert heard.text.endswith("to the crown of the arch.")
    starts = [word.start for word in heard.words]
    assert starts == sorted(starts) and heard.words[-1].end <= speech.duration


def test_a_batch_equals_one_by_one(tiny: Whisper, sentence: Audio, corpora: Path) -> None:
    other = audio.read(corpora / "ljspeech/test/LJ001-0008.flac")
    assert [t.text for t in tiny.transcribe_batch([sentence, other])] == [
        tiny.transcribe(sentence).text,
        tiny.transcribe(other).text,
    ]


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "click"])
def test_what_is_no_speech_has_no_words(tiny: Whisper, kind: str) -> None:
    time = np.arange(5 * 16000) / 16000
    sounds = {
        "silence": np.zeros_like(time),
        "noise": np.random.default_rng(0).normal(0, 0.05, len(time)),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time),
        "click": (np.arange(len(time)) % 16000 == 0) * 0.9,
    }
    assert tiny.transcribe(Audio(sounds[kind].astype(np.float32), 16000)).text == ""


def test_an_english_only_model_says_what_it_cannot_do(tiny: Whisper, sentence: Audio) -> None:
    with pytest.raises(VoiceError, match=r"German \(de\)"):
        tiny.transcribe(sentence, language="de")
    with pytest.raises(VoiceError, match="cannot translate"):
        tiny.transcribe(sentence, task="translate")


def test_tokens_become_words_with_their_punctuation(tiny: Whisper) -> None:
    tokenizer = tiny._tokenizer
    text = ' "Well," he said (twice) — it\'s naïve: 3.5% of $20...'
    tokens = tokenizer._tokenizer.encode(text, add_special_tokens=False).ids
    words = tokenizer.words(tokens, "en")
    assert [word.text.strip() for word in words] == [
        *['"Well,"', "he", "said", "(twice)", "— it's", "naïve:", "3.5%", "of", "$20..."]
    ]
    assert "".join(word.text for word in words) == text
    assert [word.first for word in words] == sorted(word.first for word in words)
    assert tokenizer.text(tokens[words[0].first : words[0].last]).strip(' "') == "Well"
