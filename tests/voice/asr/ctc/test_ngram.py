from __future__ import annotations

import gzip
import math

import pytest

from voice.asr.ctc.ngram import LN_10, UNSEEN, NgramModel
from voice.errors import ModelDamaged, ModelMissing

ARPA = r"""
\data\
ngram 1=5
ngram 2=3
ngram 3=1

\1-grams:
-1.0	<unk>
-99	<s>	-0.5
-0.7	a	-0.3
-0.8	b	-0.2
-0.9	</s>

\2-grams:
-0.2	<s> a	-0.1
-0.4	a b
-0.6	b </s>

\3-grams:
-0.05	<s> a b

\end\
"""


@pytest.fixture
def model(tmp_path) -> NgramModel:
    (tmp_path / "lm.arpa").write_text(ARPA)
    return NgramModel.read(tmp_path / "lm.arpa")


def decades(model: NgramModel, *words: str) -> float:
    """The decimal logarithm of the last word's probability after the others."""
    state, log_prob = model.begin, 0.0
    for word in words:
        log_prob, state = model.score(state, word)
    return log_prob / LN_10


def test_the_longest_row_counts(model):
    assert model.order == 3
    assert decades(model, "a") == pytest.approx(-0.2)
    assert decades(model, "a", "b") == pytest.approx(-0.05)


def test_a_history_that_was_never_seen_backs_off(model):
    assert decades(model, "b") == pytest.approx(-0.5 - 0.8)  # <s> b
    assert decades(model, "a", "a") == pytest.approx(-0.1 - 0.3 - 0.7)  # <s> a a, a a
    assert decades(model, "a", "b", "a") == pytest.approx(-0.2 - 0.7)  # "a b" has no back-off weight


def test_the_end_is_scored_as_a_word(model):
    _, state = model.score(model.begin, "b")
    assert model.end(state) / LN_10 == pytest.approx(-0.6)


def test_a_word_that_is_not_there_is_the_unknown_one(model):
    assert decades(model, "zebra") == pytest.approx(-0.5 - 1.0)


def test_without_an_unknown_word_it_is_very_unlikely(tmp_path):
    text = ARPA.replace("ngram 1=5", "ngram 1=4").replace("-1.0\t<unk>\n", "")
    (tmp_path / "lm.arpa").write_text(text)
    model = NgramModel.read(tmp_path / "lm.arpa")
    assert decades(model, "zebra") == UNSEEN and decades(model, "zebra", "a") == pytest.approx(-0.7)


def test_a_compressed_file_reads_the_same(tmp_path, model):
    with gzip.open(tmp_path / "lm.arpa.gz", "wt") as file:
        file.write(ARPA)
    compressed = NgramModel.read(tmp_path / "lm.arpa.gz")
    assert decades(compressed, "a", "b") == decades(model, "a", "b")


@pytest.mark.parametrize(
    "change",
    [
        ("\\end\\", ""),
        ("ngram 2=3", "ngram 2=4"),
        ("ngram 2=3", "ngram 2=2"),
        ("ngram 1=5", "ngram 1=99999999999"),
        ("\\data\\", "words"),
        ("-0.4\ta b", "-0.4\ta zebra"),
        ("-0.4\ta b", "a b"),
        ("-0.05\t<s> a b", "-0.05\ta a b"),
        ("-0.8", "often"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    text = ARPA.replace(*change)
    if change[0] == "\\data\\":
        text = "nothing here"
    (tmp_path / "lm.arpa").write_text(text)
    with pytest.raises(ModelDamaged, match="no whole ARPA file"):
        NgramModel.read(tmp_path / "lm.arpa")


def test_what_is_cut_short_or_no_text_is_refused(tmp_path):
    whole = gzip.compress(ARPA.encode())
    (tmp_path / "a.arpa.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.arpa").write_bytes(bytes(range(128, 256)))
    for name in ("a.arpa.gz", "b.arpa"):
        with pytest.raises(ModelDamaged):
            NgramModel.read(tmp_path / name)
    with pytest.raises(ModelMissing, match="c.arpa is missing"):
        NgramModel.read(tmp_path / "c.arpa")


def test_a_probability_is_natural(model):
    assert model.score((), "a")[0] == pytest.approx(-0.7 * math.log(10))
