from recipes.homographs.examples import Example, LabelledSentence, read_everyday, split, tag_examples
from recipes.homographs.fitting import fit
from recipes.homographs.train import read_readings
from voice.text.english.homographs import NOT_A_VERB, VERB, HomographReading

READINGS = {
    "permit": (HomographReading("n", "", (NOT_A_VERB,)), HomographReading("v", "", (VERB,))),
    "record": (HomographReading("n2", "", (NOT_A_VERB,)), HomographReading("v2", "", (VERB,))),
}


def example(word: str, reading: str, *before: str) -> Example:
    words = (*before, word, "now")
    return Example(word, reading, " ".join(words), 0, words, ("XX",) * len(words), len(before))


EXAMPLES = [
    example("permit", "n", "the"), example("permit", "n", "see", "the"), example("permit", "v", "will"),
    example("permit", "v", "we", "will"),
]  # fmt: skip


def test_fits_its_examples():
    model = fit(EXAMPLES, READINGS, penalty=0.1)
    chosen = [model.choose(each.words, each.tags, each.at) for each in EXAMPLES]
    assert [reading and reading.name for reading in chosen] == [each.reading for each in EXAMPLES]


def test_what_one_word_teaches_another_knows():
    model = fit(EXAMPLES, READINGS, penalty=0.1)
    found = model.choose(("they", "will", "record", "now"), ("XX",) * 4, 2)
    assert found is not None and found.name == "v2"


def test_holds_out_a_tenth_of_each_word_the_same_each_time():
    rows = [LabelledSentence(word, "x", f"{word} {i}", 0) for word in ("a", "b") for i in range(20)]
    kept, held = split(rows)
    assert sorted(row.word for row in held) == ["a", "a", "b", "b"]
    assert split(rows[::-1])[1] == held[2:] + held[:2]
    assert not set(kept) & set(held)


def test_a_sentence_is_tagged_where_its_homograph_stands():
    [found] = tag_examples([LabelledSentence("record", "v", "In 1999 they record a record.", 13)])
    assert found.words[found.at] == "record" and found.at == found.words.index("record")


def test_everyday_sentences_name_readings_that_there_are():
    known = {(word, each.name) for word, some in read_readings().items() for each in some}
    assert {(row.word, row.reading) for row in read_everyday()} <= known
