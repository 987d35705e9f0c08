from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("torch")

from recipes.ctc import ngram
from voice.asr.ctc.ngram import BEGIN, END, UNKNOWN, NgramModel
from voice.errors import VoiceError

TEXT = """the kettle boils at seven
the bus leaves at eight
the kettle boils at eight and the bus leaves
the bus boils
at seven the bus leaves the kettle
"""


def train(tmp_path, order: int = 3, prune: int = 0, name: str = "lm.arpa.gz") -> NgramModel:
    (tmp_path / "text.txt").write_text(TEXT)
    out = tmp_path / name
    ngram.main(ngram.Options((tmp_path / "text.txt",), (), "lower", order, prune, out))
    return NgramModel.read(out)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("prune", [0, 1])
def test_the_probabilities_after_any_history_sum_to_one(tmp_path, order, prune):
    model = train(tmp_path, order, prune)
    vocabulary = [word for word in model.words if word != BEGIN]
    assert {END, UNKNOWN} < set(vocabulary)
    histories = [[], ["the"], ["the", "kettle"], ["at", "seven", "the"], ["zebra"], ["boils", "zebra"]]
    for words in histories:
        state = model.begin
        for word in words:
            _, state = model.score(state, word)
        assert sum(math.exp(model.score(state, word)[0]) for word in vocabulary) == pytest.approx(1, abs=2e-4)


def test_listed_words_that_no_text_has_are_as_likely_as_the_unknown_one(tmp_path):
    (tmp_path / "words.txt").write_text("Zebra\nkettle\nyak\ntwo words\n")
    (tmp_path / "text.txt").write_text(TEXT)
    out = tmp_path / "lm.arpa"
    text, words = (tmp_path / "text.txt",), (tmp_path / "words.txt",)
    ngram.main(ngram.Options(text, writing="lower", prune=0, out=out, words=words))
    model = NgramModel.read(out)
    assert {"zebra", "yak", "kettle"} < set(model.words) and "words" not in model.words
    for state in (model.begin, model.score(model.begin, "the")[1]):
        chances = {word: model.score(state, word)[0] for word in model.words if word != BEGIN}
        assert chances["zebra"] == chances["yak"] == chances[UNKNOWN] < chances["kettle"]
        assert sum(map(math.exp, chances.values())) == pytest.approx(1, abs=2e-4)


def test_what_was_read_is_likelier_than_the_same_words_in_disorder(tmp_path):
    model = train(tmp_path)

    def total(text: str) -> float:
        state, found = model.begin, 0.0
        for word in text.split():
            log_prob, state = model.score(state, word)
            found += log_prob
        return found + model.end(state)

    assert total("the kettle boils at seven") > total("kettle the seven boils at") + 2
    assert total("the bus leaves") > total("the zebra leaves")


def test_pruned_n_grams_are_left_out(tmp_path):
    whole, pruned = train(tmp_path, 3, 0), train(tmp_path, 3, 1, "small.arpa")
    assert len(pruned.tables[2].keys) < len(whole.tables[2].keys)
    assert len(pruned.tables[1].keys) == len(whole.tables[1].keys)


def test_transcripts_of_manifests_are_read_as_the_recognizer_writes(tmp_path):
    rows = [{"audio": "a.wav", "text": "It is 7. The bus leaves!", "duration": 1.0, "id": "a"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ngram.Options((), (str(tmp_path / "a.jsonl"),), "spoken", 2, 0, tmp_path / "lm.arpa")
    assert list(ngram.sentences_of(options)) == [["it", "is", "seven"], ["the", "bus", "leaves"]]


def test_without_words_it_says_what_to_give(tmp_path):
    with pytest.raises(VoiceError, match="give --text or --manifest"):
        ngram.main(ngram.Options(out=tmp_path / "lm.arpa"))
    assert not list(tmp_path.iterdir())
