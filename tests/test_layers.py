"""How the tree is laid out: imports point downwards, a name has one meaning, a folder is learnt in one look.

The order of the layers is the design's, written down here once. `python tests/test_layers.py` prints what the
tree does not keep, `python tests/test_layers.py voice.asr` what of it lies in voice/asr.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the bottom up: a module may import what stands on its own line or above. Names stand for
# packages too; the longest that fits counts.
LAYERS = [
    ["voice", "voice.types", "voice.abilities", "voice.errors", "voice.places"],
    ["voice.media"],
    ["voice.audio", "voice.features", "voice.pitch", "voice.text"],
    ["voice.text.verbalization"],
    ["voice.text.english", "voice.text.italian", "voice.text.portuguese", "voice.text.spanish"],
    ["voice.metrics", "voice.manifest", "voice.models"],
    ["voice.silero", "voice.vad"],
    ["voice.asr.batching", "voice.asr.ctc", "voice.asr.diarization", "voice.asr.segmenting"],
    ["voice.asr.longform", "voice.asr.whisper"],
    ["voice.asr", "voice.tts", "voice.smart_turn"],
    ["voice.loading", "voice.commands"],
    ["voice.transcription"],
    ["voice.simple", "voice.agent.language"],
    ["voice.agent.background", "voice.agent.timers", "voice.agent.work"],
    ["voice.agent.events", "voice.agent.speculative"],
    ["voice.agent.listening", "voice.agent.speaking"],
    ["voice.agent.options", "voice.agent.skills"],
    ["voice.agent.brains", "voice.agent.responder"],
    ["voice.agent.conversation"],
    ["voice.agent"],
    ["voice.serve"],
    ["voice.serve.openai", "voice.serve.realtime"],
    ["voice.serve.app", "voice.demo"],
    ["data"],
    ["recipes"],
    [
        "recipes.asr",
        "recipes.endpoint",
        "recipes.homographs",
        "recipes.kokoro",
        "recipes.lexicons",
        "recipes.names",
        "recipes.speakers",
        "recipes.vocoder",
    ],
    ["recipes.ctc", "recipes.finetune", "recipes.tts"],
    ["recipes.own_voice"],
    ["voice.cli"],
    ["voice.__main__"],
    ["page"],
    ["app", "benchmarks"],
]
# Rooms that lie side by side and have nothing to do with each other.
STRANGERS = [
    ("voice.asr", "voice.tts"),
    ("voice.tts", "voice.asr"),
    ("voice.agent.listening", "voice.agent.speaking"),
    ("voice.agent.speaking", "voice.agent.listening"),
    ("voice.serve.openai", "voice.serve.realtime"),
    ("voice.serve.realtime", "voice.serve.openai"),
    ("recipes.asr", "recipes.vocoder"),
    ("recipes.vocoder", "recipes.asr"),
    ("app", "data"),
    ("app", "recipes"),
    ("page", "data"),
    ("page", "recipes"),
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
OWN = ("voice", "data", "recipes", "page", "app", "benchmarks")

MODULES_IN_A_FOLDER = 20
LINES_IN_A_FILE = 300
REASON = re.compile(r"\bone (file|module)\b[^.]*\bbecause\b", re.IGNORECASE)  # "This is one file because …"

# Tests of several modules at once, and what they show. Every other test lies where its module lies.
OVERARCHING = {
    "data/test_corpora.py": "every corpus, each in a small copy of its published layout",
    "data/test_loop.py": "from a manifest to batches",
    "page/test_attack.py": "another web page in the same browser",
    "page/test_sound.py": "the programs of Talk that need no sound",
    "page/test_tabs.py": "Transcribe and Voiceover in a browser",
    "voice/agent/test_skills_in_conversation.py": "skills in a whole conversation",
    "voice/asr/test_crowds.py": "many voices at once, with a real recognizer",
    "voice/asr/test_silence.py": "sound without speech, from the detector to the transcript",
    "voice/models/test_hostile_cards.py": "cards and catalogs from strangers",
    "voice/serve/realtime/test_fuzz.py": "nonsense over the WebSocket",
    "voice/serve/test_fuzz.py": "nonsense over HTTP",
    "voice/serve/test_real_models.py": "the server with real models",
    "voice/test_public.py": "what `import voice` offers",
    "voice/test_startup.py": "what starting imports",
    "voice/text/english/test_spoken.py": "the list of written and spoken forms",
    "voice/text/test_folders.py": "every language's folder, by its lists",
    "voice/text/test_typed.py": "whatever is typed, read",
    "voice/tts/test_controls.py": "controls, measured in the sound of every engine",
}


def modules() -> Iterator[tuple[str, Path]]:
    for top in OWN:
        for path in [ROOT / f"{top}.py", *sorted((ROOT / top).rglob("*.py"))]:
            if path.exists():
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside functions, for types only or not."""
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the whole name"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


def layer(name: str) -> str:
    """The name in LAYERS that `name` belongs to."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in RANK and (end > 1 or len(parts) == 1 or parts[0] != "voice"):
            return ".".join(parts[:end])
    raise AssertionError(f"{name} has no place in the layers; give it one in {__file__}")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downwards(name):
    mine = layer(name)
    for imported in imports(MODULES[name]):
        if imported.split(".")[0] in OWN:
            theirs = layer(imported)
            assert RANK[theirs] <= RANK[mine], f"{name} imports {imported}, which is above it"
            assert not any(within(name, a) and within(imported, b) for a, b in STRANGERS), (
                f"{name} imports {imported}, which is none of its business"
            )


TRAINING = {"torch", "torchaudio", "transformers", "speechbrain", "librosa", "peft", "accelerate", "onnx"}
# Models that only torch runs: asked for by name, and imported inside of functions.
RUN_BY_TORCH = ("voice.agent.brains.local_model", "voice.asr.hub", "voice.models.hub", "voice.tts.hub")


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] in ("voice", "page", "app")])
def test_inference_never_imports_what_only_training_has(name):
    if any(within(name, each) for each in RUN_BY_TORCH):
        imported = names_in(name) | imports_at_the_top(name)
    else:
        imported = {each.split(".")[0] for each in imports(MODULES[name])}
    assert not TRAINING & imported


def imports_at_the_top(name: str) -> set[str]:
    """The packages that a module imports when it is itself imported."""
    body = [node for node in syntax_tree(MODULES[name]).body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in body if isinstance(node, ast.ImportFrom)]
    return {each.split(".")[0] for each in modules}


def test_what_is_imported_exists():
    """Also inside of functions, for types only, and in tests, which not everybody runs after each change."""
    places = [*MODULES.values(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]
    missing = [
        f"{path.relative_to(ROOT)}: {node.module}.{alias.name}"
        for path in places
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OWN
        for alias in node.names
        if f"{node.module}.{alias.name}" not in MODULES and not offers(node.module, alias.name)
    ]
    assert not missing


@cache
def names_in(module: str) -> set[str]:
    """What a module of ours defines or imports outside of its functions and classes."""
    names = set()
    left: list[ast.AST] = [*syntax_tree(MODULES[module]).body]
    while left:
        node = left.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            names.add(node.id)
        else:
            left += ast.iter_child_nodes(node)
    return names


def offers(module: str, name: str) -> bool:
    """Whether a module has a name, or looks for it only when it is asked for."""
    return module in MODULES and (name in names_in(module) or "__getattr__" in names_in(module))


Graph = dict[str, set[str]]


@cache
def imported_by() -> Graph:
    """Module → modules of ours that it imports."""
    return {name: {one for one in imports(path) if one in MODULES} - {name} for name, path in MODULES.items()}


def rooms(package: str) -> Graph:
    """Module or folder right inside `package` → those beside it that it imports."""
    depth = package.count(".") + 2
    graph: Graph = defaultdict(set)
    for name, others in imported_by().items():
        if name.startswith(f"{package}."):
            mine = ".".join(name.split(".")[:depth])
            theirs = {".".join(one.split(".")[:depth]) for one in others if one.startswith(f"{package}.")}
            graph[mine] |= theirs - {mine}
    return graph


def circles(graph: Graph) -> Iterator[list[str]]:
    """The groups of nodes that reach each other, each in the order of its names."""
    reached = {name: reach(graph, name) for name in graph}
    seen: set[str] = set()
    for name in sorted(graph):
        circle = sorted({one for one in reached[name] if name in reached[one]})
        if circle and name not in seen:
            seen.update(circle)
            yield circle


def reach(graph: Graph, start: str) -> set[str]:
    """All that `start` leads to: itself only if there is a way back."""
    found: set[str] = set()
    new = list(graph[start])
    while new:
        node = new.pop()
        if node not in found:
            found.add(node)
            new += graph[node]
    return found


Flaw = tuple[str, str]  # what it is; where


def circles_of_modules() -> Iterator[Flaw]:
    for circle in circles(imported_by()):
        yield f"circle of modules: {circle[0]}", ", ".join(circle)


def circles_of_rooms() -> Iterator[Flaw]:
    """Folders and modules that lie side by side and import each other."""
    packages = {name.rpartition(".")[0] for name in MODULES} - {""}
    for package in sorted(packages):
        for circle in circles(rooms(package)):
            yield f"circle of rooms: {package}", ", ".join(circle)


def classes_of_one_name() -> Iterator[Flaw]:
    """Names in voice/ that several classes have, a leading underscore ignored."""
    places = defaultdict(list)
    for name, path in MODULES.items():
        if within(name, "voice"):
            for node in ast.walk(syntax_tree(path)):
                if isinstance(node, ast.ClassDef):
                    places[node.name.lstrip("_")].append(name)
    for title, defined in sorted(places.items()):
        if len(defined) > 1:
            yield f"class: {title}", ", ".join(defined)


def constants_of_one_name() -> Iterator[Flaw]:
    """Constants in one package of voice/ that share a name, an underscore ignored, but not the value."""
    values: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, path in MODULES.items():
        if within(name, "voice"):
            inside = name.count(".") > 1 or path.stem == "__init__"
            package = ".".join(name.split(".")[:2]) if inside else "voice"
            for title, value in constants(syntax_tree(path)):
                values[package, title][value].add(name)
    for (package, title), meanings in sorted(values.items()):
        if len(meanings) > 1:
            yield f"constant: {package} {title}", ", ".join(sorted(set().union(*meanings.values())))


def constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name and the value, as written, of each constant of a module."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) and node.value:
                title = target.id.lstrip("_")
                if title.isupper():
                    yield title, ast.dump(node.value)


def full_folders() -> Iterator[Flaw]:
    for folder in sorted({path.parent for path in [*MODULES.values(), *(ROOT / "tests").rglob("*.py")]}):
        count = len([path for path in folder.glob("*.py") if path.stem != "__init__"])
        if count > MODULES_IN_A_FOLDER:
            yield f"folder: {folder.relative_to(ROOT)}", f"{count} modules"


def long_files() -> Iterator[Flaw]:
    """Files over 300 lines that do not say in their opening words why they are one file."""
    page = [path for path in sorted((ROOT / "page").rglob("*")) if path.suffix in (".js", ".css")]
    for path in [*MODULES.values(), *page]:
        text = path.read_text("utf-8")
        lines = text.count("\n")
        if lines > LINES_IN_A_FILE and not REASON.search(opening(text, path)):
            yield f"length: {path.relative_to(ROOT)}", f"{lines} lines"


def opening(text: str, path: Path) -> str:
    """The docstring of a Python file; the first comment of another."""
    if path.suffix == ".py":
        return ast.get_docstring(syntax_tree(path)) or ""
    found = re.match(r"\s*(/\*.*?\*/|(\s*//.*\n)+)", text, re.DOTALL)
    return found[0] if found else ""


def misplaced_tests() -> Iterator[Flaw]:
    """Tests that lie elsewhere than their module: tests/voice/asr/test_vad.py for voice/vad.py."""
    for top in OWN:
        for path in sorted((ROOT / "tests" / top).rglob("test_*.py")):
            inside = path.relative_to(ROOT / "tests")
            place = ROOT / inside.parent / path.stem.removeprefix("test_")
            exists = [place.is_dir(), place.with_suffix(".py").exists(), place.with_suffix(".js").exists()]
            if not any(exists) and str(inside) not in OVERARCHING:
                yield f"test: tests/{inside}", f"there is no {place.relative_to(ROOT)}.py"


PARTICIPLE = re.compile(
    r"_*([a-z]*ed|said|told|heard|spoken|given|taken|made|found|kept|held|left|sent|drawn|shown|known|written"
    r"|meant|begun|chosen|hidden|bound)"
)
NO_PARTICIPLES = {"feed", "speed", "need", "seed"}  # nouns and verbs
ESTABLISHED = {"shifted", "played", "begun"}  # as `sorted` in Python; old names that still work


def functions_named_by_a_participle() -> Iterator[Flaw]:
    """Functions whose name says neither what they do nor what they return; whether something is so may."""
    for path in MODULES.values():
        for node in ast.walk(syntax_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and PARTICIPLE.fullmatch(node.name):
                says_whether = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
                if not says_whether and node.name.strip("_") not in NO_PARTICIPLES | ESTABLISHED:
                    yield f"function: {path.relative_to(ROOT)}: {node.name}", f"line {node.lineno}"


KINDS = [
    circles_of_modules,
    circles_of_rooms,
    classes_of_one_name,
    constants_of_one_name,
    full_folders,
    functions_named_by_a_participle,
    long_files,
    misplaced_tests,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_there_are_no(kind):
    assert not dict(kind())


def test_tests_of_several_modules_exist():
    assert all((ROOT / "tests" / path).is_file() for path in OVERARCHING)


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d", "a"}, "e": set()}
    assert list(circles(graph)) == [["b", "c"], ["d"]]


def test_constants_are_found_with_their_values():
    tree = ast.parse("A = 1\n_B: int = 2\nC: int\nd = 3\n__all__ = []\nE = F = 4")
    assert [title for title, _ in constants(tree)] == ["A", "B", "E", "F"]


def report(package: str = "") -> Iterator[str]:
    """What is left, a line each, by kind and then by name: all of it, or what lies in `package`."""
    for kind in KINDS:
        flaws = [f"{flaw}  ({where})" for flaw, where in kind()]
        flaws = [flaw for flaw in flaws if package.replace("/", ".") in flaw.replace("/", ".")]
        yield f"# {kind.__name__.replace('_', ' ')}: {len(flaws)}"
        yield from flaws


if __name__ == "__main__":
    print(*report(*sys.argv[1:]), sep="\n")
