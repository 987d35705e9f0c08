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

from voice.commands import builtin
from voice.commands.expressions import parse_expression, speakable_words
from voice.errors import TextError
from voice.text.phrase_grammar import MacroReference, Node, Phrase, SlotReference, Words, walk

_PARTS = ("expressions", "slots", "macros")


@dataclass(frozen=True)
class SourceLine:
    """Text of the file, and the number of the line on which it begins."""

    text: str
    number: int


@dataclass(frozen=True)
class CommandContext:
    """The expressions of each intent and macro, and {as reported: as spoken} of each kind of slot."""

    intents: Mapping[str, tuple[Phrase, ...]]
    macros: Mapping[str, tuple[Phrase, ...]]
    slots: Mapping[str, Mapping[str, str]]


def read_context(path: str | Path) -> CommandContext:
    """The context in a file. Raises TextError, with the line, for what is no context."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise TextError(f"{path} does not exist; name the YAML file in which the commands stand") from error
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise TextError(f"{path} cannot be read ({what}); name the YAML file of the commands") from error
    return parse_context(text, str(path))


def parse_context(text: str, name: str = "commands") -> CommandContext:
    """The context in `text`; `name` is what errors call it. Raises TextError."""
    return _ContextReader(text, name).context()


class _ContextReader:
    """Walks the nodes of the YAML, so that every error can name its line."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def context(self) -> CommandContext:
        top = self._mapping(self._composed(), "the file")
        if "context" not in top:
            raise self._error(1, 'there is no "context:"; everything else stands below it')
        parts = self._mapping(top["context"], '"context:"')
        for part, node in parts.items():
            if part not in _PARTS:
                raise self._error(_line_of(node), f'"{part}:" is unknown; there are {", ".join(_PARTS)}')
        read_context = {part: self._lists(parts.get(part), part) for part in _PARTS}
        if not read_context["expressions"]:
            raise self._error(1, 'there are no "expressions:"; name an intent and list what is said for it')
        slots = {kind: dict(map(self._value, lines)) for kind, lines in read_context["slots"].items()}
        macros = {macro: tuple(map(self._parsed, lines)) for macro, lines in read_context["macros"].items()}
        intents = {
            intent: tuple(map(self._parsed, lines)) for intent, lines in read_context["expressions"].items()
        }
        self._check(read_context, {**macros, **intents}, macros, slots)
        self._refuse_circles(macros, read_context["macros"])
        return CommandContext(intents, macros, slots)

    def _composed(self) -> yaml.Node:
        try:
            node = yaml.compose(self._text, Loader=yaml.SafeLoader)
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
        if node is None:
            return {}
        names = self._mapping(node, f'"{part}:"')
        return {name: tuple(self._lines(each, name, part)) for name, each in names.items()}

    def _lines(self, node: yaml.Node, name: str, part: str) -> Iterator[SourceLine]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            thing = "value" if part == "slots" else "expression"
            raise self._error(_line_of(node), f'"{name}:" lists nothing; give it each {thing} after a "- "')
        for each in node.value:
            yield SourceLine(self._written(each).strip(), _line_of(each))

    def _written(self, node: yaml.Node) -> str:
        """The text of an item; brackets without quotes, which YAML takes for a list, as they stand."""
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode) and node.flow_style:
            return self._text[node.start_mark.index : node.end_mark.index]
        raise self._error(_line_of(node), "this is no phrase; put it in quotes")

    def _parsed(self, line: SourceLine) -> Phrase:
        try:
            return parse_expression(line.text)
        except TextError as error:
            raise self._error(line.number, f"{error} (in {line.text!r})") from None

    def _value(self, line: SourceLine) -> tuple[str, str]:
        """A slot's value as reported and as spoken."""
        self._say(line.text, line.number)
        return line.text, line.text

    def _say(self, text: str, line: int) -> None:
        try:
            speakable_words(text)
        except TextError as error:
            raise self._error(line, str(error)) from None

    def _check(
        self,
        read_context: Mapping[str, Mapping[str, tuple[SourceLine, ...]]],
        parse_context: Mapping[str, tuple[Phrase, ...]],
        macros: Mapping[str, object],
        slots: Mapping[str, object],
    ) -> None:
        """Every slot and macro that is used must be there, and every word speakable."""
        for part in ("macros", "expressions"):
            for name, lines in read_context[part].items():
                for line, items in zip(lines, parse_context[name], strict=True):
                    for item in walk(items):
                        self._check_item(item, line.number, macros, slots)

    def _check_item(
        self, item: Node, line: int, macros: Mapping[str, object], slots: Mapping[str, object]
    ) -> None:
        if isinstance(item, Words):
            self._say(item.text, line)
        if isinstance(item, MacroReference) and item.name not in macros:
            raise self._error(line, f'@{item.name} is not among the "macros:"; {_list_names(macros)}')
        if (
            isinstance(item, SlotReference)
            and item.kind not in slots
            and item.kind not in builtin.BUILTIN_KINDS
        ):
            known = builtin.BUILTIN_KINDS if item.kind.startswith("pv.") else slots
            raise self._error(line, f'${item.kind} is not among the "slots:"; {_list_names(known)}')

    def _refuse_circles(
        self, macros: Mapping[str, tuple[Phrase, ...]], lines: Mapping[str, tuple[SourceLine, ...]]
    ) -> None:
        uses = {
            name: {
                item.name for items in all_items for item in walk(items) if isinstance(item, MacroReference)
            }
            for name, all_items in macros.items()
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
