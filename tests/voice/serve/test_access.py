"""Who is let in, by the headers of a request."""

from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from voice.errors import VoiceError
from voice.serve import Settings
from voice.serve.access import refusal_for

NAMED = Settings(hosts="voice.example.org, Other.Example:8443", origins="https://friend.example")
OPEN = Settings(host="0.0.0.0")


def status(settings: Settings, path: str = "/v1/models", kind: str = "http", **headers: str) -> int:
    """With what a GET is refused; 200 where it is not."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {"type": kind, "method": "GET", "path": path, "headers": Headers(named).raw}
    if kind == "websocket":
        del scope["method"]
    refusal = refusal_for(scope, settings)
    return refusal.status_code if refusal else 200


@pytest.mark.parametrize("path", ["/", "/v1/models", "/metrics", "/config", "/gradio_api/file=/tmp/a"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("evil.example", 403), ("evil.example:8000", 403), ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403), ("evil.example@localhost", 403), ("local host", 403),
        ("192.168.1.5:8000", 403), ("0.0.0.0:8000", 403), ("[::2]:8000", 403), ("[::1", 403), ("a:b:c", 403),
        ("127.0.0.1%evil.example", 403), ("127.0.0.1?evil.example", 403), ("127.0.0.1#", 403),
        ("localhost:1234", 200), ("LOCALHOST", 200), ("localhost.", 200), ("127.0.0.1:8000", 200),
        ("127.8.8.8", 200), ("[::1]:8000", 200), ("", 200),
        ("voice.example.org", 200), ("VOICE.example.org:80", 200), ("other.example", 200),
        ("friend.example", 200),
    ],
)  # fmt: skip
def test_a_server_of_this_machine_answers_to_its_own_names(
    host: str, expected: int, kind: str, path: str
) -> None:
    assert status(NAMED, path, kind, host=host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("evil.example", 403), ("box.evil.example", 403), ("10.1.2.3.evil.example", 403),
        ("box.local.evil", 403), ("10.1.2.3:8000", 200), ("[fe80::1]:8000", 200), ("localhost", 200),
        ("box", 200), ("box:8000", 200), ("BOX.local", 200),
    ],
)  # fmt: skip
def test_a_server_for_others_answers_to_addresses_and_its_machines_name(
    monkeypatch: pytest.MonkeyPatch, host: str, expected: int
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Box")
    assert status(OPEN, host=host) == expected
    assert (
        status(Settings(host="0.0.0.0", token="sesame"), host=host, authorization="Bearer sesame") == expected
    )


def test_load_balancers_may_call_it_what_they_like() -> None:
    assert status(Settings(token="sesame"), "/health", host="10.2.3.4:8000") == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("path", ["/", "/v1/models", "/gradio_api/file=http://evil.example/x.png"])
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        ("no-cors", "image"),
        ("cors", "empty"),
        ("navigate", "iframe"),
        ("websocket", ""),
        ("no-cors", "script"),
    ],
)
def test_nothing_is_given_to_other_pages(site: str, path: str, mode: str, dest: str) -> None:
    headers = {"sec_fetch_site": site, "sec_fetch_mode": mode, "sec_fetch_dest": dest}
    assert status(NAMED, path, host="localhost", **headers) == 403
    assert status(OPEN, path, host="localhost", **headers) == 403


def test_a_link_leads_to_the_page_and_nowhere_else() -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert status(NAMED, "/", host="localhost", **link) == 200
    for path in ("/gradio_api/file=/tmp/a", "/v1/models", "/config", "//"):
        assert status(NAMED, path, host="localhost", **link) == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_the_page_itself_and_its_person_are_let_in(site: str) -> None:
    headers = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert status(NAMED, "/talk/talk.js", host="localhost:8000", **headers) == 200
    assert status(NAMED, host="localhost:8000", origin="http://localhost:8000", sec_fetch_site=site) == 200


def test_a_friends_page_is_let_in() -> None:
    friend = {"host": "localhost", "origin": "https://friend.example", "sec_fetch_site": "cross-site"}
    assert status(NAMED, **friend) == 200
    assert status(NAMED, **{**friend, "origin": "https://friend.example.evil"}) == 403


def page(host: str = "localhost", **headers: str) -> str:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": Headers({
        "host": host, "accept": "text/html,*/*", **headers
    }).raw}  # fmt: skip
    refusal = refusal_for(scope, Settings())
    assert refusal and refusal.media_type == "text/html"
    return refusal.body.decode()


@pytest.mark.parametrize("scheme", ["ftp:", "chrome-extension:", "capacitor:", "ws:", ""])
def test_what_is_no_web_page_is_not_the_servers_own(scheme: str) -> None:
    assert status(NAMED, host="localhost:8000", origin="http://localhost:8000") == 200
    assert status(NAMED, host="localhost:8000", origin=f"{scheme}//localhost:8000") == 403


def test_a_person_reads_why_and_what_lets_them_in() -> None:
    unknown = page("voice.test:7901")
    assert "VOICE_HOSTS=voice.test<" in unknown and "voice.test:7901" in unknown
    foreign = page(**{"origin": "https://talk.example", "sec-fetch-site": "cross-site"})
    assert "VOICE_ORIGINS=https://talk.example<" in foreign


@pytest.mark.parametrize("host", ["<script>alert(1)</script>", 'a"><img src=x>', "[<b>]", "a]", "x" * 5000])
def test_what_a_stranger_writes_does_not_run_in_the_refusal(host: str) -> None:
    shown = page(host)
    assert "<script" not in shown and "<img" not in shown and "<b>" not in shown
    assert len(shown) < 4000


@pytest.mark.parametrize("token", ["sesame", "sésame", "пароль", "пароль é"])
def test_the_token_is_taken_in_every_form(token: str) -> None:
    settings = Settings(token=token)
    ways = {"authorization": f"Bearer {token}", "x-api-key": token, "api-key": token}
    for name, value in ways.items():
        for encoding in ("utf-8", "latin-1"):
            try:
                raw = value.encode(encoding)
            except UnicodeEncodeError:
                continue
            assert _with(settings, name, raw) == 200
            assert _with(settings, name, raw + b"x") == 401
    basic = base64.b64encode(f"me:{token}".encode())
    assert _with(settings, "authorization", b"Basic " + basic) == 200


def _with(settings: Settings, name: str, value: bytes) -> int:
    scope = {"type": "http", "method": "GET", "path": "/v1/models", "headers": [(name.encode(), value)]}
    refusal = refusal_for(scope, settings)
    return refusal.status_code if refusal else 200


@pytest.mark.parametrize("origins", ["*", "https://*", "example.org", "https://a.example/path", "null"])
def test_origins_that_are_none_are_refused_at_the_start(origins: str) -> None:
    with pytest.raises(VoiceError, match="VOICE_ORIGINS"):
        Settings(origins=origins)


@pytest.mark.parametrize("hosts", ["*", "https://a.example", "a b", "a/b", "*.example.org"])
def test_hosts_that_are_none_are_refused_at_the_start(hosts: str) -> None:
    with pytest.raises(VoiceError, match="VOICE_HOSTS"):
        Settings(hosts=hosts)
