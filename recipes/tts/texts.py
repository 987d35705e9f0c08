"""Sentences for teachers to speak: what recordings' transcripts lack, and the transcripts themselves.

Questions of every kind, exclamations, lists, dialogue, numbers, names and places, made from the patterns below with
a seed; they are ours and free to use. Reading aloud of books and prompts has hardly any of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from voice.manifest import read_manifest
from voice.text.sentences import split_sentences

WORDS = {
    "name": "Anna|Mister Bell|Catherine|David|Elena|Doctor Foster|George|Hannah|Isabel|Jack|Missus Keller|Liam|Maria|"
    "Nora|Oliver|Peter|Quentin|Ruth|Samuel|Theresa|Uncle Vic|Walter|Yusuf|Zoe|Priya|Joaquin|Captain Hughes|Aunt May",
    "place": "the station|Boston|the old harbor|Chicago|the library|my brother's house|the market|Denver|the village|"
    "Arizona|the airport|London|the top of the hill|Singapore|the shoe shop|Mexico|the north shore|the theater",
    "thing": "bicycle|umbrella|yellow envelope|camera|box of matches|guitar|map|silver spoon|jacket|laptop|letter|violin|"
    "wooden chair|pair of glasses|blue vase|garden hose|chess board|thermometer|suitcase|toothbrush|judge's robe",
    "things": "apples|oranges|bread|fresh cheese|candles|eggs|butter|paper cups|batteries|onions|pears|white rice|"
    "sugar|orange juice|soap|matches|chocolate|coffee|garlic|thyme|mushrooms|nails|sausages|walnuts",
    "verb": "open|find|repair|carry|paint|borrow|describe|measure|forget|hide|choose|clean|deliver|examine|watch",
    "past": "opened|found|repaired|carried|painted|borrowed|described|measured|forgot|dropped|chose|sold|lost|hid|bought",
    "adjective": "beautiful|strange|quiet|dangerous|generous|cheerful|awful|bright|huge|curious|delicious|slow|foolish|"
    "marvelous|useful|noisy|thoughtful|cold|warm|unusual|gentle|rough",
    "time": "tomorrow|at nine o'clock|next Thursday|in the morning|before lunch|on the twelfth of June|at midnight|"
    "every other week|in about an hour|on Saturday evening|in the year 1987|in February|at half past four|yesterday",
    "number": "3|7|11|14|18|25|32|47|60|85|99|104|215|360|512|1,200|4,750|16,000|2.5|8.75|half a million",
    "money": "$4|$12.50|$19.99|$250|80 cents|$3,000|five dollars|£40|a million dollars",
    "animal": "horse|dog|owl|fox|sheep|turtle|goose|whale|mouse|zebra|giraffe|sparrow|pigeon|bear|goat|cow",
    "job": "teacher|pilot|baker|nurse|engineer|sailor|lawyer|painter|musician|farmer|judge|driver|chemist",
    "weather": "raining|snowing|sunny|windy|foggy|freezing|thundering|getting dark|pouring",
}

PATTERNS = """
Where did you put the {thing}?|Who {past} the {thing}?|What time does {name} arrive at {place}?|Why is it always so {adjective} here?
How much is the {thing}, {money} or {money}?|When will we {verb} the {thing}?|Which {animal} is more {adjective}, yours or mine?
Did {name} really {verb} my {thing}?|Is it {weather} in {place}?|Are you going to {place} {time}?|Can you hear me now?
Would you like {things}, {things}, or {things}?|Could you {verb} the {thing} for me, please?|Have you ever seen such a {adjective} {animal}?
You {past} the {thing}, didn't you?|It isn't {weather}, is it?|So you are a {job}?|{name} said that?|Really?|Are you sure?|Who's there?
Does anyone know whether {name} {past} the {thing}?|Shall we meet {time}, or would {time} suit you better?
What a {adjective} {thing}!|Watch out, the {animal} is loose!|No, don't {verb} that!|Hurray, we made it to {place}!|Stop!
How {adjective} you look {time}!|Happy birthday, {name}!|Oh, what a {adjective} day!|Thank you so much, {name}!|Yes, of course!
Quick, {verb} the {thing}!|I can't believe that you {past} it!|That's {adjective}!|Good morning, everyone!|Congratulations!
We need {things}, {things}, {things}, and {things}.|First {verb} the {thing}, then wash your hands, and finally go to {place}.
On the table lay a {thing}, a {thing}, two {things}, and a very {adjective} {animal}.|Monday, Tuesday, Wednesday, Thursday, Friday.
{name}, {name}, and {name} are coming {time}.|One, two, three, four, five, six, seven, eight, nine, ten.
"I thought you were a {job}," said {name}.|"Where is {place}?" asked {name}.|"Come in!" cried the {job}. "It's {weather} outside."
{name} looked up and whispered, "Please don't {verb} the {thing}."|"Well," said the {job}, "that will be {money}, thank you."
The {thing} costs {money}, but {name} has only {money}.|There were {number} people in {place} {time}.|Turn to page {number}.
About {number} percent of them {past} a {thing}; the rest did not.|It is {number} miles from {place} to {place}.|Call 555-0{number}7.
The train to {place} leaves {time} from platform {number}.|My address is {number} Maple Street, {place}.|Take {number} drops {time}.
{name} is a {adjective} {job} who {past} a {thing} in {place}.|If it's {weather} {time}, we will stay at home and {verb} the {thing}.
The {adjective} {animal} ran past the {job}, jumped over the {thing}, and vanished.|I'm sorry, but I can't {verb} it right now.
Although it was {weather}, {name} walked all the way to {place}, because the {thing} had been {adjective}.
Well… I'm not sure that I {past} it.|Wait… is that a {animal}?|Let me think about it for a moment.|It was {adjective} — very {adjective}.
Your order has been shipped, and will arrive {time}.|Please hold the line; someone will be with you shortly.|Okay, let's begin.
Here is the weather for {place}: {weather} at first, then {adjective} and {adjective}.|The {job} (a friend of {name}) {past} it.
I've set a timer for {number} minutes.|Sorry, I didn't catch that. Could you say it again?|Sure, I can do that for you.
Nobody {past} the {thing}, and yet it was gone.|There is one thing you should know: {name} never {past} the {thing}.
In {place}, the {job} told us, every {animal} has a {adjective} name.|Neither {name} nor the {job} could {verb} it.
The measure of pleasure is treasure.|Their usual vision was an illusion.|Joy enjoys the boy's noisy toys.|She chose the third path with both brothers.
""".replace("\n", "|").strip("|").split("|")  # fmt: skip


def invent_sentences(seed: int = 0) -> Iterator[str]:
    """Yield sentences from the patterns, each pattern in turn, without end."""
    rng = np.random.default_rng(seed)
    choices = {kind: words.split("|") for kind, words in WORDS.items()}
    while True:
        for index in rng.permutation(len(PATTERNS)):
            pieces = re.split(r"\{(\w+)\}", PATTERNS[index])
            filled = (rng.choice(choices[p]) if i % 2 else p for i, p in enumerate(pieces))
            sentence = "".join(filled)
            yield sentence[0].upper() + sentence[1:]


def transcripts(paths: Sequence[Path], shortest: int = 12) -> Iterator[str]:
    """Yield the sentences of manifests, of at least so many characters, manifest by manifest in turn."""
    for together in zip_longest(*map(_sentences, paths)):
        yield from (text for text in together if text and len(text) >= shortest)


def _sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a manifest's transcripts."""
    for clip in read_manifest(path):
        text = clip.extra.get("text_normalized") or clip.text or clip.extra.get("asr_text") or ""
        text = text.capitalize() if text.isupper() else text
        for sentence in split_sentences(text):
            yield sentence.text
