"""The files in deploy/: what they say is true of the code, and nginx does what its file promises."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
import pytest
import websockets
import yaml
from fakes.deploy_files import CHECKOUT, DEPLOY, directives, is_ignored, seconds, size, stages, unit
from fakes.serve import PATIENCE, World, recording, serving, until

from voice.serve.draining import GRACE
from voice.serve.realtime.endpoint import ASKS_FOR_STATUS
from voice.serve.running import SHUTDOWN_SECONDS
from voice.serve.settings import Settings

DOCKER = stages((DEPLOY / "Dockerfile").read_text())
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["voice"]
SERVICE = unit((DEPLOY / "voice.service").read_text())
NGINX = (DEPLOY / "nginx.conf").read_text()
SETTINGS = {f"VOICE_{field.name.upper()}": field.default for field in fields(Settings)}
OTHERS = {"VOICE_HOME"}  # read elsewhere


# ---- what they say


def test_every_variable_in_the_files_is_one_that_is_read():
    for path in DEPLOY.iterdir():
        assert set(re.findall(r"VOICE_[A-Z_]+", path.read_text())) <= SETTINGS.keys() | OTHERS, path


def test_the_image_is_made_in_stages_and_runs_as_somebody_without_rights():
    *_, image = DOCKER
    assert len(DOCKER) == 3
    (user,) = image.all("USER")
    assert user not in ("root", "0")
    after = [name for name, _ in image.instructions]
    assert "RUN" not in after[after.index("USER") :]
    assert not image.all("ADD") and all("--from=" in each for each in image.all("COPY"))
    assert json.loads(image.all("CMD")[0]) == ["voice", "serve"]


def test_the_image_holds_the_models_that_the_server_starts_with():
    build, models, image = DOCKER
    fetched = set(re.findall(r"voice models get (\S+)", " ".join(models.all("RUN"))))
    assert fetched >= {SETTINGS["VOICE_MODEL"], SETTINGS["VOICE_VOICE"], "quick"}
    home = models.environment["VOICE_HOME"]
    assert image.environment["VOICE_HOME"] == home
    assert any(each.split()[-2:] == [home, home] for each in image.all("COPY"))


def test_the_image_is_built_from_the_package_and_nothing_else():
    rules = [each for each in (CHECKOUT / ".dockerignore").read_text().split("\n") if each and each[0] != "#"]
    wanted = [each for copy in DOCKER[0].all("COPY") for each in copy.split()[:-1]]
    assert {"pyproject.toml", "voice"} <= {*wanted}
    for name in wanted:
        assert (CHECKOUT / name).exists() and not is_ignored(name, rules), name
    assert not is_ignored("voice/serve/app.py", rules)
    assert not is_ignored("voice/models/pretrained/quick/model.toml", rules)
    left_out = (".venv/bin/python", ".git/config", "tests/conftest.py", "runs/a/best.pt", "a.wav")
    for name in (*left_out, "voice/__pycache__/app.cpython-311.pyc"):
        assert is_ignored(name, rules), name


@pytest.mark.parametrize("where", ["image", "compose"])
def test_the_check_of_health_finds_a_server_that_is_well_and_misses_one_that_is_not(where):
    if where == "image":
        command = json.loads(DOCKER[-1].all("HEALTHCHECK")[0].partition("CMD ")[2])
    else:
        command = COMPOSE["healthcheck"]["test"][1:]
    assert command[0] == "python", "the image has neither curl nor wget"
    with serving() as world:
        for port, well in ((world.port, True), (free_port(), False)):
            check = [each.replace(":8000/", f":{port}/") for each in command[1:]]
            environment = os.environ | {"VOICE_PORT": str(port)}
            done = subprocess.run([sys.executable, *check], env=environment, capture_output=True)
            assert (done.returncode == 0) is well


def test_all_of_them_mean_the_same_port():
    port = SETTINGS["VOICE_PORT"]
    assert DOCKER[-1].environment["VOICE_PORT"] == DOCKER[-1].all("EXPOSE")[0] == str(port)
    assert COMPOSE["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"VOICE_PORT={port}" in SERVICE["Environment"][0]
    assert directives(NGINX, "server")[0].startswith(f"127.0.0.1:{port} ")


def test_the_container_may_write_nothing_but_uploads_which_lie_on_a_disk():
    assert COMPOSE["read_only"] is True
    assert COMPOSE["cap_drop"] == ["ALL"] and "no-new-privileges:true" in COMPOSE["security_opt"]
    image = DOCKER[-1]
    uploads = image.environment["TMPDIR"]
    assert image.all("VOLUME") == [uploads] and image.all("WORKDIR") == [uploads]
    assert [each.partition(":")[2] for each in COMPOSE["volumes"]] == [uploads]
    assert any(f"-o {image.all('USER')[0]} {uploads}" in each for each in image.all("RUN"))


def test_the_defaults_of_the_container_are_those_of_the_code():
    for name, value in COMPOSE["environment"].items():
        default = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", value)
        if default and default[1]:
            assert float(default[1]) == SETTINGS[name], name
    assert COMPOSE["environment"]["VOICE_TOKEN"].startswith("${VOICE_TOKEN:?")


def test_who_stops_the_server_waits_until_what_is_under_way_has_ended():
    longest = GRACE + 2 * SHUTDOWN_SECONDS + 1
    assert seconds(SERVICE["TimeoutStopSec"][0]) > longest
    assert seconds(COMPOSE["stop_grace_period"]) > longest
    assert SERVICE["KillSignal"] == ["SIGTERM"] and DOCKER[-1].all("STOPSIGNAL") == ["SIGTERM"]


def test_the_service_has_no_rights_but_to_its_own_state():
    wanted = {
        "DynamicUser": "yes",
        "StateDirectory": "voice",
        "PrivateTmp": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "CapabilityBoundingSet": "",
    }
    assert {name: SERVICE[name][0] for name in wanted} == wanted
    environment = dict(each.split("=") for each in SERVICE["Environment"][0].split())
    assert environment["VOICE_HOME"] == "/var/lib/voice"
    assert "/opt/voice/bin/voice models get quick" in SERVICE["ExecStartPre"]


def test_systemd_understands_the_service(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    path = tmp_path / "voice.service"
    path.write_text((DEPLOY / "voice.service").read_text().replace("/opt/voice/bin/voice", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_the_proxy_takes_what_the_server_takes():
    assert size(directives(NGINX, "client_max_body_size")[0]) >= Settings().upload
    assert seconds(directives(NGINX, "proxy_read_timeout")[0]) > Settings().live_idle
    assert seconds(directives(NGINX, "client_header_timeout")[0]) <= 15
    assert directives(NGINX, "proxy_buffering") == ["off"]


def test_the_proxy_asks_for_the_status_by_the_header_that_the_server_knows():
    headers = [each.lower() for each in directives(NGINX, "proxy_set_header")]
    assert f"{ASKS_FOR_STATUS} $voice_refuse" in headers
    assert directives(NGINX, "set") == ['$voice_refuse ""', "$voice_refuse status", '$voice_refuse ""']


def test_the_documentation_shows_the_files_and_repeats_none_of_them():
    text = (CHECKOUT / "docs" / "serving.md").read_text()
    for path in DEPLOY.iterdir():
        assert f"(../deploy/{path.name})" in text, path.name
        lines = {each.strip() for each in path.read_text().splitlines() if len(each.strip()) > 25}
        assert not lines & {each.strip() for each in text.splitlines()}, path.name


# ---- nginx, where it is installed


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@dataclass(frozen=True)
class Proxy:
    """nginx with our configuration in front of two servers."""

    port: int
    trusts: ssl.SSLContext
    worlds: tuple[World, World]

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=self.trusts, timeout=PATIENCE)

    def line(self, **options) -> websockets.connect:
        return websockets.connect(f"wss://localhost:{self.port}/v1/realtime", ssl=self.trusts, **options)

    @property
    def page(self) -> str:
        return f"https://localhost:{self.port}"


def site_configuration(folder: Path, port: int, replicas: list[int], configuration: str = NGINX) -> str:
    """deploy/nginx.conf, with addresses of ours, inside of what Debian puts around it."""
    site = configuration.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    site = site.replace("listen 80", f"listen 127.0.0.1:{free_port()}").replace("/etc/ssl/voice", str(folder))
    for usual, ours in zip((8000, 8001), replicas, strict=True):
        site = site.replace(f"127.0.0.1:{usual} ", f"127.0.0.1:{ours} ")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    around = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
    return f"{around} events {{}} http {{ access_log off; {places}\n{site}\n}}\n"


@contextmanager
def behind_proxy(folder: Path, configuration: str = NGINX, **settings) -> Iterator[Proxy]:
    with ExitStack() as stack:
        worlds = tuple(stack.enter_context(serving(Settings(**settings))) for _ in range(2))
        port = free_port()
        path = folder / "nginx.conf"
        path.write_text(site_configuration(folder, port, [each.port for each in worlds], configuration))
        subprocess.run(["nginx", "-t", "-q", "-p", folder, "-c", path], check=True)
        process = subprocess.Popen(["nginx", "-p", folder, "-c", path])
        try:
            _await(port)
            trusts = ssl.create_default_context(cafile=folder / "fullchain.pem")
            yield Proxy(port, trusts, worlds)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _await(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nginx does not listen")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where nginx may write, with a certificate of its own for localhost."""
    for program in ("nginx", "openssl"):
        if not shutil.which(program):
            pytest.skip(f"no {program} here")
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *request.split(), *files, *names], check=True, capture_output=True)
    return tmp_path


def post_recording(client: httpx.Client) -> httpx.Response:
    files = {"file": ("a.wav", recording(1.0), "audio/wav")}
    return client.post("/v1/audio/transcriptions", files=files, data={"model": "whisper-1"})


@contextmanager
def busy(*worlds: World) -> Iterator[None]:
    """Each of some servers transcribes something, and goes on with it until the end of the `with`."""
    with ThreadPoolExecutor() as threads:
        for world in worlds:
            world.recognizer.gate.clear()
            threads.submit(post_recording, httpx.Client(base_url=world.url, timeout=PATIENCE))
            assert world.recognizer.begun.wait(PATIENCE)
        try:
            yield
        finally:
            for world in worlds:
                world.recognizer.gate.set()


def run(work) -> object:
    return asyncio.run(asyncio.wait_for(work, PATIENCE))


async def first(line) -> dict:
    return json.loads(await line.recv())


def test_one_overload_is_no_outage(folder):
    with behind_proxy(folder, requests=1, queue=0) as proxy, proxy.client as client:
        with busy(*proxy.worlds):
            for _ in range(3):
                refused = post_recording(client)
                assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
        assert [post_recording(client).status_code for _ in range(4)] == [200] * 4


def test_an_upload_that_one_replica_refuses_goes_to_the_next(folder):
    with behind_proxy(folder, requests=1, queue=0) as proxy, proxy.client as client:
        with busy(proxy.worlds[0]):
            assert [post_recording(client).status_code for _ in range(4)] == [200] * 4
            assert len(proxy.worlds[1].recognizer.asked) == 4


def test_live_sessions_go_to_the_replica_that_is_free_those_of_browsers_too(folder):
    async def talk(proxy: Proxy) -> None:
        place = proxy.worlds[0].services.sessions.take()
        for options in ({}, {"origin": proxy.page}):
            for _ in range(3):
                async with proxy.line(**options) as line:
                    assert (await first(line))["type"] == "session.created"
                await asyncio.to_thread(all_given_back, proxy.worlds[1])
        place.release()

    with behind_proxy(folder, sessions=1) as proxy:
        run(talk(proxy))


def test_when_all_replicas_are_full_programs_get_a_status_and_browsers_an_event(folder):
    async def talk(proxy: Proxy) -> None:
        places = [each.services.sessions.take() for each in proxy.worlds]
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await proxy.line()
        assert refusal.value.response.status_code == 429
        async with proxy.line(origin=proxy.page) as browser:
            assert (await first(browser))["error"]["code"] == "busy"
            with pytest.raises(websockets.ConnectionClosed):
                await browser.recv()
            assert browser.close_code == 1013
        for place in places:
            place.release()
        async with proxy.line(origin=proxy.page) as line:
            assert (await first(line))["type"] == "session.created"

    with behind_proxy(folder, sessions=1) as proxy:
        run(talk(proxy))


def test_a_replica_that_stops_is_left_alone_and_its_clients_go_to_the_other(folder):
    async def talk(proxy: Proxy) -> None:
        for options in ({}, {"origin": proxy.page}):
            async with proxy.line(**options) as line:
                assert (await first(line))["type"] == "session.created"
            await asyncio.to_thread(all_given_back, proxy.worlds[1])

    with behind_proxy(folder, sessions=1) as proxy, proxy.client as client:
        proxy.worlds[0].services.draining.begin(PATIENCE)
        assert [post_recording(client).status_code for _ in range(3)] == [200] * 3
        run(talk(proxy))
        assert len(proxy.worlds[1].recognizer.asked) == 3


def test_a_page_behind_the_proxy_is_the_servers_own_whatever_the_port(folder):
    with behind_proxy(folder) as proxy, proxy.client as client:
        asked = {"input": "Hello."}
        assert client.post("/v1/audio/speech", json=asked, headers={"Origin": proxy.page}).status_code == 200
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert client.post("/v1/audio/speech", json=asked, headers=elsewhere).status_code == 403


@pytest.mark.parametrize(("hosts", "status"), [("talk.example.org", 200), ("", 403)])
def test_a_server_behind_the_proxy_answers_to_the_names_that_it_was_told(folder, hosts, status):
    with behind_proxy(folder, hosts=hosts, token="sesame") as proxy, proxy.client as client:
        headers = {"Host": "talk.example.org", "Origin": "https://talk.example.org"}
        headers["Authorization"] = "Bearer sesame"
        asked = {"input": "Hello."}
        assert client.post("/v1/audio/speech", json=asked, headers=headers).status_code == status
        assert client.get("/health", headers=headers).status_code == 200


def test_speech_comes_through_the_proxy_as_it_is_made(folder):
    with behind_proxy(folder) as proxy, proxy.client as client:
        for world in proxy.worlds:
            world.voice.gate.clear()
        asked = {"input": "One. Two.", "response_format": "pcm"}
        with client.stream("POST", "/v1/audio/speech", json=asked) as answer:
            pieces = answer.iter_raw()
            assert next(pieces), "the first sentence, while the second waits"
            for world in proxy.worlds:
                world.voice.gate.set()
            assert b"".join(pieces)


def test_the_proxy_tells_nobody_how_the_server_is_used(folder):
    with behind_proxy(folder) as proxy, proxy.client as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/health").status_code == 200


def all_given_back(world: World) -> None:
    """Return once no live session is open, or fail."""
    assert until(lambda: not world.services.sessions.used_slots)
