"""Where sentences end, and that a text that arrives in pieces ends in the same places."""

import random

import pytest

from voice.text.sentences import MOST_CHARACTERS, SentenceSplitter, ends_sentence, split_sentences

CASES = [
    ("Hello there. How are you?", ["Hello there.", "How are you?"]),
    ("Dr. Smith met Mrs. Jones. They talked.", ["Dr. Smith met Mrs. Jones.", "They talked."]),
    ("J. K. Rowling wrote it. I read it.", ["J. K. Rowling wrote it.", "I read it."]),
    ("It costs 3.50 dollars. Cheap!", ["It costs 3.50 dollars.", "Cheap!"]),
    ("See example.com. It is new.", ["See example.com.", "It is new."]),
    ('"Why?" he asked. "Because."', ['"Why?" he asked.', '"Because."']),
    ("“Stop!” She ran.", ["“Stop!”", "She ran."]),
    ("Wait... what? Oh… I see.", ["Wait... what?", "Oh… I see."]),
    ("The U.S. Army left. The U.S. The end.", ["The U.S. Army left.", "The U.S.", "The end."]),
    ("We met at 5 p.m. Then we left.", ["We met at 5 p.m.", "Then we left."]),
    ("Use fruit, e.g. apples. Done.", ["Use fruit, e.g. apples.", "Done."]),
    ("See No. 5 and pp. 12. Right.", ["See No. 5 and pp. 12.", "Right."]),
    ("So am I. But no.", ["So am I.", "But no."]),
    ("hello there! how are you", ["hello there!", "how are you"]),
    ("First line\n\nSecond", ["First line", "Second"]),
    ("Roses are red\nViolets are blue", ["Roses are red", "Violets are blue"]),
    ("a long line of text that was wrapped by its editor\nand goes on here. Yes.",
     ["a long line of text that was wrapped by its editor\nand goes on here.", "Yes."]),
    ("Buy:\n- milk\n- eggs", ["Buy:", "- milk", "- eggs"]),
    ("1. First thing.\n2. Second thing.", ["1. First thing.", "2. Second thing."]),
    ("A. First thing. B. Second.", ["A. First thing.", "B. Second."]),
    ("What?! No!!! Really.", ["What?!", "No!!!", "Really."]),
    ("你好。再见。", ["你好。", "再见。"]),
    ("He lives on Main St. Then we left.", ["He lives on Main St.", "Then we left."]),
    ("We met on Oak Dr. He was late.", ["We met on Oak Dr.", "He was late."]),
    ("It is at 1428 Elm St. It was old.", ["It is at 1428 Elm St.", "It was old."]),
    ("I saw the Dr. He was kind.", ["I saw the Dr.", "He was kind."]),
    ("We saw Dr. No and Dr. Who. They ran.", ["We saw Dr. No and Dr. Who.", "They ran."]),
    ("From St. Paul to Mt. Hood. Far.", ["From St. Paul to Mt. Hood.", "Far."]),
    ("William Simmons Sr. He was tall.", ["William Simmons Sr.", "He was tall."]),
    ("John Smith Sr. and Al Jr. came.", ["John Smith Sr. and Al Jr. came."]),
    ("He said so.² See note 3.³ Done.", ["He said so.²", "See note 3.³", "Done."]),
    ("He said so.[2] See it. Done.", ["He said so.[2]", "See it.", "Done."]),
    ("“He said so.”⁴ She left.", ["“He said so.”⁴", "She left."]),
    ("The end was near.12 Then it came.", ["The end was near.12", "Then it came."]),
    ("Prices rose.* They fell.† Yes.", ["Prices rose.*", "They fell.†", "Yes."]),
    ("In the past (c. 3000 BCE) it was so. Yes.", ["In the past (c. 3000 BCE) it was so.", "Yes."]),
    ("Born c. 1450, d. 1501. He wrote.", ["Born c. 1450, d. 1501.", "He wrote."]),
    ("Use Eq. (3) and Fig. (2a). Done.", ["Use Eq. (3) and Fig. (2a).", "Done."]),
    ("See Vol. IV and App. B of it. Done.", ["See Vol. IV and App. B of it.", "Done."]),
    ("He said no. I agree.", ["He said no.", "I agree."]),
    ("We know 5! = 120. And n! grows.", ["We know 5! = 120.", "And n! grows."]),
    ("Take (n - 1)! / 2 of them.", ["Take (n - 1)! / 2 of them."]),
    ("He is 6 ft. tall. She is 5 ft. The end.", ["He is 6 ft. tall.", "She is 5 ft.", "The end."]),
    ("Add 2 tbsp. sugar. Stir.", ["Add 2 tbsp. sugar.", "Stir."]),
    ("Apples etc. are good, pears etc. We eat.", ["Apples etc. are good, pears etc.", "We eat."]),
    ("We left at 5 p.m. Monday. Peter came at 6 p.m. Anna slept.",
     ["We left at 5 p.m. Monday.", "Peter came at 6 p.m.", "Anna slept."]),
    ("Smith et al. found it. So did Lee et al. The end.",
     ["Smith et al. found it.", "So did Lee et al.", "The end."]),
    ("Take Hwy. 50 to Apt. 4B. Ring.", ["Take Hwy. 50 to Apt. 4B.", "Ring."]),
    ("It is version 2.0. New things came.", ["It is version 2.0.", "New things came."]),
    ("The quick brown fox\njumped over the lazy\ndog and Mr.\nSmith went to New\nYork City to see it.",
     ["The quick brown fox\njumped over the lazy\ndog and Mr.\nSmith went to New\nYork City to see it."]),
    ("We met at the\nWhite House today.", ["We met at the\nWhite House today."]),
    ("A nar-\nrow column. It hyphen-\nates.", ["A nar-\nrow column.", "It hyphen-\nates."]),
    ("Anna Smith\n12 Main St.\nNew York", ["Anna Smith", "12 Main St.", "New York"]),
    ("a long line of text that was wrapped\nand goes on\nHeading", [
        "a long line of text that was wrapped\nand goes on", "Heading"]),
    ("", []),
    (" \n\t ", []),
    ("!!!", ["!!!"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentences"), CASES, ids=lambda value: str(value)[:30])
def test_splits_where_sentences_end(text, sentences):
    assert [sentence.text for sentence in split_sentences(text)] == sentences


def test_knows_where_each_sentence_was_written():
    text = "  One two. Three!\n\n Four?  "
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text


def test_says_what_ends_a_paragraph():
    ends = [sentence.after for sentence in split_sentences("One. Two.\n\nThree. Four.")]
    assert ends == ["sentence", "paragraph", "sentence", "paragraph"]


def test_text_in_pieces_is_split_like_the_whole():
    text = " ".join(text for text, _ in CASES) + " and so on, " * 300
    whole = list(split_sentences(text))
    chance = random.Random(0)
    for _ in range(5):
        splitter, found, position = SentenceSplitter(), [], 0
        while position < len(text):
            step = chance.randint(1, 40)
            found += splitter.push(text[position : position + step])
            position += step
        assert found + splitter.flush() == whole


def test_a_sentence_is_out_as_soon_as_the_next_word_is_known():
    splitter = SentenceSplitter()
    assert splitter.push("It is five.") == []
    assert [sentence.text for sentence in splitter.push(" Then ")] == ["It is five."]


def test_text_without_a_full_stop_is_cut_at_clauses():
    text = "this goes on and on, " * 200
    sentences = list(split_sentences(text))
    assert all(len(sentence.text) <= MOST_CHARACTERS for sentence in sentences)
    assert all(sentence.text.endswith("on,") for sentence in sentences)
    assert " ".join(sentence.text for sentence in sentences) == text.strip()


@pytest.mark.parametrize(
    ("before", "following", "ends"),
    [
        ("to Dr.", "Smith", False),
        ("Dr. A.", "Smith", False),
        ("the U.S.", "Senate", False),
        ("the U.S.", "The", True),
        ("at 9 p.m.", "Bring", True),
        ("said No.", "He", True),
        ("in No.", "5", False),
        ("and Smith Jr.", "Smiled", False),
        ("came home.", "Nobody", True),
        ("came home.", "nobody", False),
        ("in 1999.", "Nobody", True),
        ('home?"', "He", True),
        ('home?"', "he", False),
        ("well\u2026", "Perhaps", True),
        ("came home,", "Then", False),
        ("que l'on est.", "Nous", True),
        ("fuimos al mar.", "Comimos", True),
        ("Bunu al.", "Sonra", True),
        ("Kim sen.", "Ben", True),
        ("det är hon.", "Sedan", True),
        ('han "sen.', "Sedan", True),
        ("for Sen.", "Smith", False),
        ("heren dr.", "Jansen", False),
        ("Ali vs.", "Frazier", False),
        ("5.", "Nobody", True),
        ("B.", "Then", True),
        ("B.", "Smith", False),
        ("行きました。", "そう", True),
    ],
)
def test_knows_where_a_sentence_of_a_transcript_ends(before, following, ends):
    assert ends_sentence(before, following) is ends
