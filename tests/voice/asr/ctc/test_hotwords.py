from __future__ import annotations

import pytest

from voice.asr.ctc.alphabet import SPACE, letters_of
from voice.asr.ctc.hotwords import parse_hotwords, parse_terms, read_hotwords
from voice.errors import TextError

FILE = """\
# our people and products
Kubernetes
Nguyen = win | en goo yen | N W IH1 N   # the common name

C#
GPT-4o
Kubernetes = coo burn eh tees
"""


def test_a_line_holds_a_term_and_how_it_may_sound():
    terms = {term.text: term.spellings for term in parse_terms(FILE.splitlines())}
    assert terms == {
        "Kubernetes": ("kubernetes", "coo burn eh tees"),
        "Nguyen": ("win", "en goo yen", "nwin"),
        "C#": ("c sharp",),
        "GPT-4o": ("g p t four o",),
    }


def test_terms_written_alike_are_one_and_said_in_all_their_ways():
    (term,) = parse_terms(["Xi", "Xi = she", "Xi = shee | she"])
    assert term.spellings == ("xi", "she", "shee")


UNUSABLE = [
    ("!!", "'!!' holds no letter that could be heard; say how it sounds, as in: Nguyen = win"),
    ("Xi = ''", "'Xi' holds no letter that could be heard; write it in English letters"),
    ("x", "'x' is a single letter, which is heard everywhere; leave it out"),
    ("Llan" * 20, "too long, 80 letters; give at most 60"),
    ("= win", "has no term before the ="),
]


@pytest.mark.parametrize(("line", "message"), UNUSABLE)
def test_a_term_that_cannot_be_used_says_why_and_what_to_do(line, message):
    with pytest.raises(TextError, match=message):
        parse_hotwords([line])


def test_too_many_terms_are_refused(monkeypatch):
    monkeypatch.setattr("voice.asr.ctc.hotwords.MAX_TERMS", 2)
    with pytest.raises(TextError, match="3 hotwords are too many; give at most 2"):
        parse_hotwords(["one", "two", "three"])


def test_no_terms_are_no_hotwords():
    assert parse_hotwords([]) is None
    assert parse_hotwords(["", "  # nothing yet"]) is None


def test_the_tree_spells_every_way_from_space_to_space():
    tree = parse_hotwords(["an", "and", "Ann Lee"])
    assert tree.labels[0] == SPACE
    spelled = {}

    def walk(node: int, letters: str) -> None:
        if tree.term[node] >= 0:
            assert tree.labels[node] == SPACE
            spelled[letters] = tree.texts[tree.term[node]]
        for child in range(tree.first_child[node], tree.first_child[node] + tree.children[node]):
            assert tree.depth[child] == tree.depth[node] + 1
            walk(
                child,
                letters if tree.term[child] >= 0 else letters + letters_of(tree.labels[child : child + 1]),
            )

    walk(0, "")
    assert spelled == {"an": "an", "and": "and", "ann lee": "Ann Lee"}


def test_a_file_is_read_line_by_line(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("\ufeff" + FILE, "utf-8")
    assert parse_hotwords(read_hotwords(str(path))).texts == ("Kubernetes", "Nguyen", "C#", "GPT-4o")


def test_terms_may_be_given_with_commas():
    assert read_hotwords("Ada, Kubernetes,") == ["Ada", "Kubernetes"]
    assert read_hotwords("") == []


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("good\n\n??\n", "utf-8")
    with pytest.raises(TextError, match="terms.txt, line 3: the hotword '\\?\\?' holds no letter"):
        read_hotwords(str(path))


@pytest.mark.parametrize("name", ["terms.txt", "folder/terms"])
def test_a_missing_file_is_not_taken_for_a_term(name):
    with pytest.raises(TextError, match=f"there is no file {name}"):
        read_hotwords(name)


@pytest.mark.parametrize("text", ["東京", "مرحبا", "以下是普通话的句子。"])
def test_a_term_in_another_script_is_told_to_the_decoder_and_not_listened_for(text):
    (term,) = parse_terms([text])
    assert (term.text, term.spellings) == (text, ())
    assert not parse_hotwords([text]).can_be_spotted
    mixed = parse_hotwords([text, "Kubernetes"])
    assert mixed.can_be_spotted and mixed.texts == (text, "Kubernetes")
    assert read_hotwords(text) == [text]


def test_a_term_in_another_script_may_say_how_it_sounds():
    (term,) = parse_terms(["東京 = toe key oh"])
    assert term.spellings == ("toe key oh",)
