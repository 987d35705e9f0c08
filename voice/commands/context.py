"""A file of commands: YAML with `context:`, and in it `expressions:` by intent, `slots:`, `macros:`.

    context:
      expressions:
        orderDrink:
          - "[brew, make me] (a) $size:size $drink:drink"
      slots:
        size: [small, large]
        drink: [coffee, iced tea]

The format is that of Picovoice's Rhino, so that a file written for it works here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from voice.commands.builtin import BUILTIN_KINDS
from voice.commands.expressions import parse_expression, speakable_words
from voice.errors import TextError
from voice.text.phrase_grammar import MacroReference, Node, Phrase, SlotReference, Words, walk

_PARTS = ("expressions", "slots", "macros")


@dataclass(frozen=True)
class SourceLine:
    """An item of the file, and the number of the line on which it begins."""

    text: str
    number: int


@dataclass(frozen=True)
class CommandContext:
    """The expressions of each intent and macro, and {as reported: as spoken} of each kind of slot."""

    intents: Mapping[str, tuple[Phrase, ...]]
    macros: Mapping[str, tuple[Phrase, ...]]
    slots: Mapping[str, Mapping[str, str]]


def read_context(path: str | Path) -> CommandContext:
    """Read the context in a file. Raises TextError, with the line, if it is none."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise TextError(f"{path} does not exist; name the YAML file in which the commands stand") from error
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise TextError(f"{path} cannot be read ({what}); name the YAML file of the commands") from error
    return parse_context(text, str(path))


def parse_context(text: str, name: str = "commands") -> CommandContext:
    """Parse the context in `text`, which errors call `name`. Raises TextError."""
    return _ContextReader(text, name).context()


class _ContextReader:
    """Walks over the nodes of the YAML, so that every error can name its line."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def context(self) -> CommandContext:
        """Read the whole file."""
        top = self._mapping(self._compose(), "the file")
        if "context" not in top:
            raise self._error(1, 'there is no "context:"; everything else stands below it')
        parts = self._mapping(top["context"], '"context:"')
        for part, node in parts.items():
            if part not in _PARTS:
                raise self._error(_line_of(node), f'"{part}:" is unknown; there are {", ".join(_PARTS)}')
        lines = {part: self._lists(parts.get(part), part) for part in _PARTS}
        if not lines["expressions"]:
            raise self._error(1, 'there are no "expressions:"; name an intent and list what is said for it')
        slots = {kind: dict(map(self._value, each)) for kind, each in lines["slots"].items()}
        macros = {macro: tuple(map(self._phrase, each)) for macro, each in lines["macros"].items()}
        intents = {intent: tuple(map(self._phrase, each)) for intent, each in lines["expressions"].items()}
        self._check(lines["macros"], macros, macros, slots)
        self._check(lines["expressions"], intents, macros, slots)
        self._refuse_circles(macros, lines["macros"])
        return CommandContext(intents, macros, slots)

    def _compose(self) -> yaml.Node:
        """Return the root node of the YAML."""
        try:
            node: yaml.Node | None = yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "it is no YAML"
            hint = "an expression that begins with [ or @ stands in quotes"
            raise self._error(mark.line + 1 if mark else 1, f"{problem}; {hint}") from error
        except RecursionError as error:
            raise self._error(1, "lists lie too deep within one another; keep them flat") from error
        if node is None:
            raise self._error(1, 'the file is empty; it begins with "context:"')
        return node

    def _mapping(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        """Return the nodes of a mapping by their names; `what` is what errors call it."""
        if isinstance(node, yaml.ScalarNode) and not node.value:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._error(_line_of(node), f'{what} holds no names; write each as "name:" on its own line')
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(_line_of(key), "this is no name; a name is one word and a colon")
            if key.value in found:
                raise self._error(_line_of(key), f'"{key.value}:" is there twice; join the two')
            found[key.value] = value
        return found

    def _lists(self, node: yaml.Node | None, part: str) -> dict[str, tuple[SourceLine, ...]]:
        """Return the lines of each name in a part of the file."""
        if node is None:
            return {}
        names = self._mapping(node, f'"{part}:"')
        return {name: tuple(self._lines(each, name, part)) for name, each in names.items()}

    def _lines(self, node: yaml.Node, name: str, part: str) -> Iterator[SourceLine]:
        """Yield the items of a list."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            thing = "value" if part == "slots" else "expression"
            raise self._error(_line_of(node), f'"{name}:" lists nothing; give it each {thing} after a "- "')
        for each in node.value:
            yield SourceLine(self._source(each).strip(), _line_of(each))

    def _source(self, node: yaml.Node) -> str:
        """Return the text of an item; brackets without quotes, a list for YAML, are taken as written."""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if isinstance(node, yaml.SequenceNode) and node.flow_style:
            return self._text[node.start_mark.index : node.end_mark.index]
        raise self._error(_line_of(node), "this is no phrase; put it in quotes")

    def _phrase(self, line: SourceLine) -> Phrase:
        """Parse an expression."""
        try:
            return parse_expression(line.text)
        except TextError as error:
            raise self._error(line.number, f"{error} (in {line.text!r})") from None

    def _value(self, line: SourceLine) -> tuple[str, str]:
        """Return the value of a slot as it is reported and as it is spoken."""
        self._check_speakable(line.text, line.number)
        return line.text, line.text

    def _check_speakable(self, text: str, line: int) -> None:
        """Raise TextError if a text has no letters to be spoken."""
        try:
            speakable_words(text)
        except TextError as error:
            raise self._error(line, str(error)) from None

    def _check(
        self,
        lines: Mapping[str, tuple[SourceLine, ...]],
        phrases: Mapping[str, tuple[Phrase, ...]],
        macros: Mapping[str, object],
        slots: Mapping[str, object],
    ) -> None:
        """Check that all slots and macros in phrases exist and all words can be spoken."""
        for name, each in lines.items():
            for line, phrase in zip(each, phrases[name], strict=True):
                for node in walk(phrase):
                    self._check_node(node, line.number, macros, slots)

    def _check_node(
        self, node: Node, line: int, macros: Mapping[str, object], slots: Mapping[str, object]
    ) -> None:
        if isinstance(node, Words):
            self._check_speakable(node.text, line)
        if isinstance(node, MacroReference) and node.name not in macros:
            raise self._error(line, f'@{node.name} is not among the "macros:"; {_list_names(macros)}')
        if isinstance(node, SlotReference) and node.kind not in {**slots, **BUILTIN_KINDS}:
            known = BUILTIN_KINDS if node.kind.startswith("pv.") else slots
            raise self._error(line, f'${node.kind} is not among the "slots:"; {_list_names(known)}')

    def _refuse_circles(
        self, macros: Mapping[str, tuple[Phrase, ...]], lines: Mapping[str, tuple[SourceLine, ...]]
    ) -> None:
        """Raise TextError if a macro contains itself, perhaps through others."""
        uses = {
            name: {node.name for each in phrases for node in walk(each) if isinstance(node, MacroReference)}
            for name, phrases in macros.items()
        }
        while ready := [name for name, used in uses.items() if not used & uses.keys()]:
            for name in ready:
                del uses[name]
        for name in uses:
            line = lines[name][0].number
            raise self._error(line, f"@{name} stands for itself in the end; break the circle")

    def _error(self, line: int, message: str) -> TextError:
        return TextError(f"{self._name}, line {line}: {message}")


def _list_names(names: Mapping[str, object]) -> str:
    return f"there are {', '.join(names)}" if names else "there are none"


def _line_of(node: yaml.Node) -> int:
    return node.start_mark.line + 1
