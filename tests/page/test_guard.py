"""What the page's port answers, asked over plain HTTP by whoever wants more than the page gives."""

from __future__ import annotations

import json
import secrets
import socket
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from types import SimpleNamespace

import httpx
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from fakes.page import serving_page

from page import temporary_files
from page.guard import COOKIE
from page.uploads import MIN_FREE_DISK

JSON = {"content-type": "application/json"}
ELSEWHERE = "127.0.0.2"  # this machine too, but no address of the page


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving_page() as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """One browser, as far as its cookie goes."""
    with program(address) as client:
        client.cookies.set(COOKIE, secrets.token_urlsafe(32))
        yield client


def program(address: str) -> httpx.Client:
    """A client without a cookie."""
    return httpx.Client(base_url=address, verify=False)


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """The address of somebody else's server, and the paths that it was asked for."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<script>alert(1)</script>")

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer((ELSEWHERE, 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://{ELSEWHERE}:{server.server_port}", asked
    server.shutdown()


def raw(address: str, target: str) -> int:
    """The status of a GET whose target is sent as it stands."""
    host = address.removeprefix("http://")
    with socket.create_connection(tuple(host.split(":"))) as connection:
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return int(connection.makefile("rb").readline().split()[1])


def upload(client: httpx.Client, name: str = "a.wav", content: bytes = b"RIFF") -> str:
    answer = client.post("/gradio_api/upload", files={"files": (name, content)})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


def ask(client: httpx.Client, file: object, tab: str = "", where: str = "queue/join") -> httpx.Response:
    """Has a file transcribed, in a tab of that name or a new one."""
    body = {
        "data": [file, None, "whisper-base", "English", False],
        "fn_index": 0,
        "session_hash": tab or secrets.token_hex(5),
    }
    return client.post(f"/gradio_api/{where}", json=body)


def data(path: str, **more: object) -> dict:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


@pytest.mark.parametrize("prefix", ["file=", "file%3D", "FILE=", "file/", "proxy=", "proxy%3d", "stream/"])
@pytest.mark.parametrize("form", ["{0}/x.png", "{1}/x.png", "{2}/x.png", "//{3}/x.png"])
def test_no_address_is_fetched_for_a_client(
    address: str, stranger: tuple[str, list[str]], prefix: str, form: str
) -> None:
    at, asked = stranger
    forms = at, at.replace("http", "HtTp"), at.replace(":", "%3A").replace("/", "%2f"), at[7:]
    assert raw(address, f"/gradio_api/{prefix}{form.format(*forms)}") == 403
    assert not asked


@pytest.mark.parametrize(
    "where", ["queue/join", "call/run", "call/v2/run", "run/run", "api/run", "component_server"]
)
@pytest.mark.parametrize("shape", ["url", "path", "with its own path", "no meta", "nested"])
def test_no_address_is_fetched_for_what_a_client_names(
    client: httpx.Client, stranger: tuple[str, list[str]], where: str, shape: str
) -> None:
    at, asked = stranger
    file = {
        "url": {"url": f"{at}/x.wav", "meta": {"_type": "gradio.FileData"}},
        "path": data(f"{at}/x.wav"),
        "with its own path": data(upload(client), url=f"{at}/x.wav"),
        "no meta": {"path": f"{at}/x.wav"},
        "nested": [[{"a": data(f"{at}/x.wav")}]],
    }[shape]
    assert ask(client, file, where=where).status_code == 403
    assert not asked


SECRETS = [
    "/etc/passwd",
    "/proc/self/environ",
    "app.py",
    "../../etc/passwd",
    "file:///etc/passwd",
    "~/.bashrc",
]


@pytest.mark.parametrize("path", SECRETS)
@pytest.mark.parametrize("meta", [True, False])
@pytest.mark.parametrize("where", ["queue/join", "call/run", "run/run", "api/run"])
def test_no_path_of_this_machine_is_taken(client: httpx.Client, path: str, meta: bool, where: str) -> None:
    assert ask(client, data(path) if meta else {"path": path}, where=where).status_code == 403


@pytest.mark.parametrize("path", SECRETS)
def test_no_file_of_this_machine_is_given(client: httpx.Client, address: str, path: str) -> None:
    assert client.get(f"/gradio_api/file={path}").status_code == 403
    assert raw(address, f"/gradio_api/file={path.replace('/', '%2F')}") == 403


def test_an_upload_is_taken_from_its_own_session_alone(client: httpx.Client, address: str) -> None:
    path = upload(client)
    assert client.get(f"/gradio_api/file={path}").content == b"RIFF"
    with program(address) as other:
        for _ in range(2):  # without a cookie, and with one
            assert other.get(f"/gradio_api/file={path}").status_code == 403
            assert ask(other, data(path), "other").status_code == 403
            other.get("/")
    assert ask(client, data(path), "first").status_code == 200
    assert ask(client, data(path), "second").status_code == 403


def test_a_program_without_cookies_is_served_but_gets_nothing_of_others(address: str) -> None:
    path = upload(program(address))
    assert ask(program(address), data(path), "program1").status_code == 200
    assert ask(program(address), data(path), "program2").status_code == 403


def test_each_browser_gets_a_room_of_its_own_with_the_page(address: str) -> None:
    cookies = [httpx.get(address).cookies[COOKIE] for _ in range(2)]
    assert cookies[0] != cookies[1]
    assert "set-cookie" not in httpx.get(address, cookies={COOKIE: cookies[0]}).headers


def test_a_session_is_its_browsers_own(client: httpx.Client, address: str) -> None:
    assert ask(client, None, "mine").status_code == 200
    with program(address) as other:
        other.get("/")
        assert ask(other, None, "mine").status_code == 403
        assert other.get("/gradio_api/queue/data?session_hash=mine").status_code == 403
        assert other.get("/gradio_api/app_id?tab=mine").status_code == 403
        assert other.post("/gradio_api/closed?tab=mine").status_code == 403
    assert client.get("/gradio_api/heartbeat/mine").status_code == 403  # which would hold a connection
    assert client.post("/gradio_api/closed?tab=mine").status_code == 204


@pytest.mark.parametrize(
    "around", ["{0}/../{1}/a.wav", "{0}//{1}/a.wav", "{0}/./{1}/a.wav", "{0}/{1}/a.wav\0", "{0}"]
)
def test_a_path_is_taken_only_as_it_stands(client: httpx.Client, around: str) -> None:
    folder, inner = Path(upload(client)).parent.parent, Path(upload(client)).parent.name
    assert ask(client, data(around.format(folder, inner))).status_code == 403


def test_a_link_in_the_room_leads_nowhere(client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    path = Path(upload(client))
    (path.parent / "link.wav").symlink_to(tmp_path / "secret.wav")
    (path.parent / "folder").symlink_to(tmp_path)
    for name in ("link.wav", "folder/secret.wav"):
        assert client.get(f"/gradio_api/file={path.parent / name}").status_code == 403
        assert ask(client, data(str(path.parent / name))).status_code == 403


@pytest.mark.parametrize("name", ["../../x.wav", "/etc/x.wav", "..\\x.wav", ".bashrc", "a\0b.wav"])
def test_an_upload_lies_where_the_page_puts_it(client: httpx.Client, name: str) -> None:
    path = Path(upload(client, name, b"x"))
    assert path.resolve().is_relative_to(temporary_files.private_folder()) and path.read_bytes() == b"x"


def test_an_upload_that_would_fill_the_disk_is_refused_in_words_and_leaves_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(upload(client)).parents[1]
    room, free = folder.parent, MIN_FREE_DISK + 1000
    monkeypatch.setattr("page.uploads.shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    refused = client.post("/gradio_api/upload", files={"files": ("a.wav", bytes(1000))})
    assert refused.status_code == 507 and "almost full" in refused.text
    assert [*room.iterdir()] == [folder]
    assert upload(client, "a.wav", bytes(100))
    unsized = client.post("/gradio_api/upload", content=iter([b"--x--"]), headers=FORM)
    assert unsized.status_code == 507


@pytest.mark.parametrize("announced", [True, False])
def test_many_files_in_one_upload_have_the_bound_of_one(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    folder = Path(upload(client)).parents[1]
    monkeypatch.setattr("page.uploads.MAX_UPLOAD", 4000)
    monkeypatch.setattr("page.uploads._FORM_OVERHEAD", 1000)
    request = client.build_request(
        "POST", "/gradio_api/upload", files=[("files", (f"{n}.wav", bytes(900))) for n in range(8)]
    )
    content = request.read()
    body = content if announced else iter([content[:3000], content[3000:]])
    kind = {"content-type": request.headers["content-type"]}
    refused = client.post("/gradio_api/upload", content=body, headers=kind)
    assert refused.status_code == 413 and "larger than" in refused.text
    assert [*folder.parent.iterdir()] == [folder]
    assert upload(client, "a.wav", bytes(900))


def test_uploads_under_way_count_as_written(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Path(upload(client)).parents[2]
    monkeypatch.setattr(
        "page.uploads.shutil.disk_usage", lambda path: SimpleNamespace(free=MIN_FREE_DISK + 3000)
    )
    request = client.build_request("POST", "/gradio_api/upload", files={"files": ("a.wav", bytes(2000))})
    content, go_on, folders = request.read(), threading.Event(), len([*room.rglob("*")])

    def slowly() -> Iterator[bytes]:
        yield content[:1000]
        assert go_on.wait(30)
        yield content[1000:]

    headers = {name: request.headers[name] for name in ("content-type", "content-length")}
    with ThreadPoolExecutor() as pool, httpx.Client(base_url=client.base_url) as other:
        first = pool.submit(client.post, "/gradio_api/upload", content=slowly(), headers=headers)
        while len([*room.rglob("*")]) == folders:  # the first has no place of its own yet
            assert not first.done()
            time.sleep(0.01)
        second = other.post("/gradio_api/upload", files={"files": ("b.wav", bytes(2000))})
        go_on.set()
        assert (first.result().status_code, second.status_code) == (200, 507)
        assert other.post("/gradio_api/upload", files={"files": ("b.wav", bytes(2000))}).status_code == 200


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.js", "a.txt", "a.pdf", "a", "a.wav.html"])
def test_what_is_uploaded_never_runs_in_the_page(client: httpx.Client, name: str) -> None:
    path = upload(client, name, b"<script>alert(1)</script>")
    answer = client.get(f"/gradio_api/file={path}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_this_account_reads_what_lies_there(client: httpx.Client) -> None:
    path = Path(upload(client))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(temporary_files.private_folder().stat().st_mode) == 0o700
    assert path.is_relative_to(temporary_files.private_folder())


CLOSED = """gradio_api/runs gradio_api/deep_link?session_hash=a monitoring monitoring/summary monitoring/x
gradio_api/user gradio_api/token gradio_api/openapi.json gradio_api/queue/status login logout pwa_icon
gradio_api/login_check gradio_api/dev/reload gradio_api/custom_component/a/client/b/c manifest.json docs
gradio_api/stream/a/b/1/playlist.m3u8 gradio_api/run-history/buckets gradio_api/vibe-code ?deep_link=a
gradio_api/call/run/1 openapi.json v1/none""".split()


@pytest.mark.parametrize("path", CLOSED)
def test_what_the_page_does_not_need_is_closed(client: httpx.Client, path: str) -> None:
    assert client.get(f"/{path}").status_code in (403, 404)


@pytest.mark.parametrize(
    "path", ["login", "gradio_api/process_recording", "gradio_api/stream/1", "gradio_api/vibe-edit"]
)
def test_nothing_else_is_sent_to_it(client: httpx.Client, path: str) -> None:
    assert client.post(f"/{path}", json={}).status_code in (403, 404)


def test_a_request_is_passed_on_as_it_was_understood(client: httpx.Client) -> None:
    path = upload(client)
    twice = json.dumps(data(path)).replace('"path"', '"path": "/etc/passwd", "path"', 1)
    values = f'[{twice}, null, "whisper-base", "English", false]'
    body = f'{{"data": {values}, "fn_index": 0, "session_hash": "tab9"}}'
    assert client.post("/gradio_api/queue/join", content=body, headers=JSON).status_code == 200


FORM = {"content-type": "multipart/form-data; boundary=x"}
ODD = (
    None, True, False, 0, 1, -1, 99, 2**70, 1.5, "", "0", "x", "\0", "\ud800", "é" * 100, [], [[]],
    [None] * 4, [None] * 9, ["a"] * 5, {}, {"a": 1}, {"path": 1},
    {"path": None, "meta": {"_type": "gradio.FileData"}},
    float("nan"), float("inf"), "RAW",
)  # fmt: skip
FIELDS = (
    "data", "fn_index", "session_hash", "event_data", "trigger_id", "event_id", "batched", "simple_format",
    "oauth_token", "request", "batch_trigger_ids",
)  # fmt: skip


def odd_requests(count: int, random: Random) -> Iterator[tuple[str, str]]:
    """Right requests of which some fields are left out or take odd values: where each goes, its body."""
    for number in range(count):
        asked = {"data": [], "fn_index": 3, "session_hash": f"odd{number}", "event_id": "none"}
        for field in random.sample(FIELDS, random.randint(1, 3)):
            asked[field] = random.choice(ODD)
            if random.random() < 0.2:
                del asked[field]
        body = json.dumps(asked).replace('"RAW"', "9" * random.choice((300, 5000)))
        yield random.choice(("queue/join",) * 4 + ("cancel", "reset")), body


def test_no_request_for_work_is_a_fault_of_the_page(client: httpx.Client) -> None:
    def answered(asked: tuple[str, str]) -> httpx.Response:
        return client.post(f"/gradio_api/{asked[0]}", content=asked[1], headers=JSON)

    requests = [*odd_requests(240, Random(21))]
    with ThreadPoolExecutor(12) as pool:
        answers = [*pool.map(answered, requests)]
    assert {answer.status_code for answer in answers} == {200, 400, 403}, [
        (each, answer.text) for each, answer in zip(requests, answers, strict=True) if answer.is_server_error
    ]


@pytest.mark.parametrize("number", [99, -1, 2**70, True, "0", 1.0, None, [0]])
def test_a_function_that_the_page_does_not_have_is_refused(client: httpx.Client, number: object) -> None:
    asked = {"data": [None] * 5, "fn_index": number, "session_hash": secrets.token_hex(5)}
    answer = client.post("/gradio_api/queue/join", json=asked)
    assert answer.status_code == 400 and ("load the page again" in answer.text or "fn_index" in answer.text)


@pytest.mark.parametrize("data", [[], [None] * 4, [None] * 6, None, {}, "abcde"])
def test_a_call_with_other_values_than_the_function_takes_is_refused(
    client: httpx.Client, data: object
) -> None:
    asked = {"data": data, "fn_index": 0, "session_hash": secrets.token_hex(5)}
    answer = client.post("/gradio_api/queue/join", json=asked)
    assert answer.status_code == 400 and ("takes 5 values" in answer.text or "data" in answer.text)


DEEP = b'{"session_hash": "deep", "data": ' + b"[" * 990 + b"]" * 990 + b"}"


@pytest.mark.parametrize("body", [DEEP, b"", b"[]", b"1", b"{", b"[" * 100_000, b'{"data": []}', b"\xff"])
def test_nonsense_is_answered(client: httpx.Client, body: bytes) -> None:
    assert client.post("/gradio_api/queue/join", content=body, headers=JSON).status_code in (400, 403)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/form-data"])
def test_an_upload_that_is_no_form_is_answered(client: httpx.Client, kind: str) -> None:
    head = {"content-type": kind} if kind else {}
    assert client.post("/gradio_api/upload", content=b"RIFF", headers=head).status_code == 400


def test_the_page_has_a_policy_and_names_nobody_else(client: httpx.Client) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "object-src 'none'"):
        assert rule in policy
    scripts = policy.partition("script-src")[2].partition(";")[0]
    assert "'unsafe-inline'" not in scripts and "http" not in scripts
    assert page.headers["referrer-policy"] == "same-origin"
    for foreign in ("githubusercontent", 'og:title" content="Gradio', "iframeResizer", "@Gradio"):
        assert foreign not in page.text
    assert "<title>Voice</title>" in page.text
    icon = client.get("/favicon.ico")
    assert icon.headers["content-type"].startswith("image/svg") and "0f766e" in icon.text


def test_every_answer_says_how_it_may_be_used(client: httpx.Client) -> None:
    for path in ("/", "/v1/models", "/talk/talk.js", "/health", "/none"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
