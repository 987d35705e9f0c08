"""What the files of deploy/ say, read far enough to be compared with the code."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DEPLOY = CHECKOUT / "deploy"


@dataclass(frozen=True)
class Stage:
    """One image of a Dockerfile: its instructions, (NAME, rest), from FROM on."""

    instructions: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [rest for kind, rest in self.instructions if kind == name]

    @property
    def environment(self) -> dict[str, str]:
        pairs = (pair.partition("=") for rest in self.all("ENV") for pair in shlex.split(rest))
        return {name: value for name, _, value in pairs}


def stages(text: str) -> list[Stage]:
    """A Dockerfile → its stages; comments and continued lines are taken care of."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    instructions = [
        (name.upper(), rest.strip())
        for name, _, rest in (
            line.partition(" ") for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()
        )
    ]
    begins = [at for at, (name, _) in enumerate(instructions) if name == "FROM"]
    return [Stage(tuple(instructions[a:b])) for a, b in zip(begins, [*begins[1:], None], strict=True)]


def is_ignored(path: str, rules: list[str]) -> bool:
    """Whether .dockerignore leaves a file out of the build, by the last of its rules that fits."""
    ignored = False
    parts = path.split("/")
    parents = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    for rule in rules:
        pattern = rule.removeprefix("!").removeprefix("**/")
        anywhere = "**/" in rule
        names = [each.rpartition("/")[2] for each in parents] if anywhere else parents
        if any(fnmatch(name, pattern) for name in names):
            ignored = not rule.startswith("!")
    return ignored


def unit(text: str) -> dict[str, list[str]]:
    """A file of systemd → the values of each name, in order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def directives(text: str, name: str) -> list[str]:
    """What stands behind each directive of a name in a configuration of nginx."""
    plain = re.sub(r"#.*", "", text)
    return [" ".join(found.split()) for found in re.findall(rf"(?<![\w-]){name}\s+([^;{{}}]+);", plain)]


_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "": 1}
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def seconds(text: str) -> float:
    """ "10s", "15min" or "20" as seconds."""
    number, unit_ = re.fullmatch(r"(\d+)([a-z]*)", text).groups()
    return int(number) * _SECONDS[unit_]


def size(text: str) -> int:
    """ "256m" as bytes."""
    number, unit_ = re.fullmatch(r"(\d+)([kmg]?)b?", text.lower()).groups()
    return int(number) * _BYTES[unit_]
