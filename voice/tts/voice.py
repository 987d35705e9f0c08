"""Any length of text → speech, sentence by sentence, with the pauses that a reader makes.

The stream is the primitive: memory does not grow with the text, and the first sentence can be
heard while the others are being made. `join` is its fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from voice.errors import ModelError, ModelMissing, TextError
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud, read_sentence
from voice.text.language import Language
from voice.text.languages import name_of
from voice.text.markup import is_ssml, parse
from voice.text.passages import read_passages
from voice.text.reading import Bookmarks, Break, Passage, Reading, SoundlessSentence, SpokenSentence
from voice.text.registry import find_language, language_cards
from voice.text.sentences import Sentence, SentenceSplitter
from voice.tts.engine import Engine, MultilingualEngine, StreamingEngine
from voice.tts.loudness import apply_gain, gain_of
from voice.tts.pauses import ATTACK, DECAY, Pause, after_silence, pause_after, pause_following, silence, trim
from voice.tts.streaming import follow, speech_pieces
from voice.types import Audio, Controls, Mark, Speech, Word


class Voice:
    """A synthesizer: the text front end before an engine."""

    def __init__(
        self, engine: Engine, others: Callable[[str], Voice] | None = None, language: Language = ENGLISH,
        level: float | None = None,
    ) -> None:  # fmt: skip
        """Take the engine; `others` finds a voice that markup names, or raises ModelError.

        `level` is how loud the engine speaks in LUFS, None where that is unknown (see voice.tts.loudness).
        """
        self.engine, self._others, self.language, self.level = engine, others, language, level
        self.rate = engine.rate
        language.prepare()

    def speak(
        self, text: str, controls: Controls = Controls(), tell: Callable[[str], object] | None = None
    ) -> Iterator[Speech]:
        """Yield the sentences of `text` as they are made; text that has no sound gives none, and a warning.

        A document in SSML is spoken as it asks. What it holds that is not understood is named in warnings,
        or passed to `tell` if that is given. Raises TextError where it is malformed, ModelError for a voice
        that is not here.
        """
        return self._speak(self._readings(text, controls, tell), controls, tell=tell)

    def stream(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        """Yield what `speak` does, in pieces that end with words.

        The first piece of a long sentence is some 0.3 s long and made in a few milliseconds; each piece is
        done long before the one before it has been played. Joined they are the same speech. A sentence is one
        piece beside a pause of exact length, and where the engine makes sentences whole, as `heart`'s does.
        """
        return self._speak(self._readings(text, controls), controls, in_pieces=True)

    def follow(self, pieces: Iterable[str], controls: Controls = Controls()) -> Iterator[Speech]:
        """Yield what `speak` does, of a plain text that arrives in `pieces`, token by token for instance."""
        return follow(self.begin(controls), pieces)

    def begin(self, controls: Controls = Controls()) -> VoiceStream:
        """Return a stream to push a plain text into while it is still being written."""
        return VoiceStream(self, controls)

    def other(self, name: str) -> Voice:
        """Return the voice that markup names, this one for "". Raises ModelError."""
        if not name:
            return self
        if self._others is None:
            raise ModelError(f'this voice cannot change to "{name}"; leave <voice> out')
        found = self._others(name)
        if found.rate != self.rate:
            raise ModelError(f'the voice "{name}" has {found.rate} Hz, not {self.rate}; speak it by itself')
        return found

    def for_language(self, code: str) -> Voice:
        """Return the voice for a language (ISO 639-1), this one for its own and for "".

        Raises ModelError where there is none, or it is not here.
        """
        if code in ("", self.language.code):
            return self
        card = language_cards().get(code)
        if card is None or not card.voice:
            raise ModelMissing(f"there is no voice that speaks {name_of(code)} here")
        return self.other(card.voice)

    def _readings(
        self, text: str, controls: Controls, tell: Callable[[str], object] | None = None
    ) -> Iterator[Reading]:
        language = self.language.with_dates(controls.dates)
        if not is_ssml(text):
            return read_aloud(text, language, controls.lexicon)
        markup = parse(text, language)
        for problem in markup.problems:
            tell(problem) if tell else warnings.warn(problem, stacklevel=3)
        passages = [self._with_speaker(passage) for passage in markup.passages]
        languages = {
            name: self.other(name).language.with_dates(controls.dates)
            for name in {passage.voice for passage in passages}
        }
        return read_passages(passages, language, controls.lexicon, languages)

    def _with_speaker(self, passage: Passage) -> Passage:
        """Return a passage in another language with a voice that speaks it, if its own does not."""
        own = self.other(passage.voice)
        if not passage.language or own.speaks(passage.language):
            return passage
        return replace(passage, voice=language_cards()[passage.language].voice)

    def speaks(self, code: str) -> bool:
        """Tell whether this voice can speak the language `code` (ISO 639-1)."""
        return code == self.language.code or (
            isinstance(self.engine, MultilingualEngine) and code in self.engine.languages
        )

    def in_language(self, code: str) -> Voice:
        """Return this voice as it reads the language `code`. Raises ModelError if it does not speak it."""
        if code == self.language.code:
            return self
        if not self.speaks(code):
            other = language_cards()[code].voice
            raise ModelError(f"this voice does not speak {name_of(code)}; choose {other}")
        return Voice(self.engine, self._others, find_language(code), self.level)

    def _speak(
        self, readings: Iterable[Reading], controls: Controls, in_pieces: bool = False,
        tell: Callable[[str], object] | None = None,
    ) -> Iterator[Speech]:  # fmt: skip
        narrator = _Narrator(self.other, self.rate, in_pieces, tell)
        for reading in readings:
            yield from narrator.speak(reading, controls)
        yield from narrator.end()


class VoiceStream:
    """A plain text on its way to sound (see `streaming.TextStream`), read sentence by sentence."""

    def __init__(self, voice: Voice, controls: Controls) -> None:
        self.controls = controls
        self._language, self._splitter, self._narrator = (
            voice.language.with_dates(controls.dates),
            SentenceSplitter(voice.language.sentences),
            _Narrator(voice.other, voice.rate),
        )

    def push(self, text: str) -> Iterator[Speech]:
        """Yield the sentences that more `text` completes, each as it is made."""
        return self._speak(self._splitter.push(text))

    def flush(self) -> Iterator[Speech]:
        """Yield the rest, which nothing completes any more; a text after it begins a new sentence."""
        return self._speak(self._splitter.flush())

    def _speak(self, sentences: Sequence[Sentence]) -> Iterator[Speech]:
        for sentence in sentences:
            for reading in read_sentence(sentence, self._language, self.controls.lexicon):
                yield from self._narrator.speak(reading, self.controls)


class _Narrator:
    """Speaks reading after reading: each piece begins with the silence that the one before it asks for."""

    def __init__(
        self,
        voice_of: Callable[[str], Voice],
        rate: int,
        in_pieces: bool = False,
        tell: Callable[[str], object] | None = None,
    ) -> None:
        self._voice_of, self._rate, self._in_pieces, self._tell = voice_of, rate, in_pieces, tell
        self._pause = Pause(0.0)  # before the next reading
        self._ends_with_break = False

    def speak(self, reading: Reading, controls: Controls) -> Iterator[Speech]:
        """Yield the sound of `reading`, if it has any."""
        self._ends_with_break = False
        match reading:
            case SpokenSentence():
                self._report(reading.unread)
                following = pause_following(reading, controls)
                yield from self._sentence(reading, controls, following)
                self._pause = (
                    Pause(max(0.0, following.seconds - DECAY), True) if following.exact else following
                )
                self._ends_with_break = bool(reading.pause)
            case SoundlessSentence():
                self._report(reading.unread)
                if reading.after == "paragraph" and not self._pause.exact:
                    following = pause_after(reading.after, controls)
                    self._pause = Pause(max(self._pause.seconds, following.seconds))
            case Break():
                before = self._pause.seconds if self._pause.exact else 0.0
                self._pause = Pause(before + reading.seconds, exact=True)
                self._ends_with_break = bool(reading.seconds)
            case Bookmarks():
                yield silence(self._rate, self._pause.seconds, reading.names)
                self._pause = Pause(0.0, exact=True)

    def end(self) -> Iterator[Speech]:
        """Yield the silence of a break at the very end."""
        if self._ends_with_break:
            yield silence(self._rate, self._pause.seconds)

    def _sentence(self, reading: SpokenSentence, controls: Controls, following: Pause) -> Iterator[Speech]:
        voice, before = self._voice_of(reading.voice), self._pause
        engine, gain = voice.engine, gain_of(voice.level, controls.loudness)
        is_exact = before.exact or following.exact
        if self._in_pieces and not is_exact and isinstance(engine, StreamingEngine):
            sentence = engine.stream(reading, controls)
            pieces = (apply_gain(piece, gain, self._rate) for piece in sentence.pieces)
            sentence = replace(sentence, marks=_timed_marks(sentence.words, reading), pieces=pieces)
            yield from speech_pieces(sentence, self._rate, before.seconds)
            return
        rendered = engine.render(reading, controls)
        samples = apply_gain(rendered.audio.samples, gain, self._rate)
        speech = replace(rendered, audio=Audio(samples, self._rate))
        speech = trim(speech, before.exact, following.exact)
        speech = replace(speech, marks=_timed_marks(speech.words, reading))
        yield after_silence(speech, max(0.0, before.seconds - ATTACK) if before.exact else before.seconds)

    def _report(self, unread: Sequence[str]) -> None:
        """Warn of characters that have no reading, or pass that on."""
        if unread:
            problem = f"not read aloud: {' '.join(unread)}"
            self._tell(problem) if self._tell else warnings.warn(problem, stacklevel=4)


def _timed_marks(words: Sequence[Word], reading: SpokenSentence) -> tuple[Mark, ...]:
    """Return the marks of a `reading` with these `words`: where words begin or the last one ends."""
    if not words:
        return ()
    times = [(name, words[i].start if i < len(words) else words[-1].end) for name, i in reading.marks]
    return tuple(Mark(name, time) for name, time in times)


def join(pieces: Iterable[Speech]) -> Speech:
    """Return the whole that `pieces` make one after the other. Raises TextError where there are none."""
    pieces = list(pieces)
    if not pieces:
        raise TextError("there is nothing in the text that can be read aloud; give it words or figures")
    rate = pieces[0].audio.rate
    words: list[Word] = []
    marks: list[Mark] = []
    offset = 0  # samples, so that hours of pieces do not drift
    for piece in pieces:
        words += (word.shifted(offset / rate) for word in piece.words)
        marks += (mark.shifted(offset / rate) for mark in piece.marks)
        offset += len(piece.audio.samples)
    samples = np.concatenate([piece.audio.samples for piece in pieces])
    text = " ".join(piece.text for piece in pieces if piece.text)
    return Speech(Audio(samples, rate), text, tuple(words), tuple(marks))
