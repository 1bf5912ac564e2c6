"""The real server in a process of its own: starts fast, loads nothing of training, survives what is no HTTP."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.company import SECRET, settings_of

HEAVY = ("pandas", "mlflow", "sklearn", "spacy", "lightgbm", "pymorphy3", "training")
START_S = 20  # seconds; two on an idle machine

# Starts as `leadloop serve` does; says on its last line what it loaded and how large it grew.
SERVE = """
import json, sys, time
from pathlib import Path
began = time.monotonic()
from serving.server import _free_port, post, running
from serving.settings import Settings
with running(Settings(_env_file=None), "127.0.0.1") as address:
    ready = time.monotonic() - began
    said = post(address, "/v1/leads", sys.argv[1], {"lead_id": "first", "source": "вебинар"})
    loaded = [name for name in sys.argv[2].split(",") if name in sys.modules]
    status = Path("/proc/self/status")  # Linux; elsewhere the size is not looked at
    lines = status.read_text().splitlines() if status.exists() else []
    rss = sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    print(json.dumps({"address": address, "ready": ready, "loaded": loaded, "rss": rss, "said": said}), flush=True)
    sys.stdin.read()
"""


class Server:
    """The process and what it said of itself."""

    def __init__(self, process: "subprocess.Popen[str]", key: str) -> None:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server died before it was ready"
        self.process, self.key = process, key
        self.told: dict[str, Any] = json.loads(line)
        self.host, port = self.told["address"].removeprefix("http://").split(":")
        self.port = int(port)

    def raw(self, sent: bytes) -> bytes:
        """What comes back for bytes on the wire."""
        with socket.create_connection((self.host, self.port), timeout=10) as wire:
            wire.sendall(sent)
            wire.shutdown(socket.SHUT_WR)
            try:
                return wire.makefile("rb").read()
            except ConnectionResetError:
                return b""

    def lives(self) -> bool:
        with urllib.request.urlopen(f"{self.told['address']}/healthz", timeout=10) as answer:
            return bool(json.load(answer) == {"status": "ok"})


@pytest.fixture(scope="module")
def server(company_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Path(shutil.copytree(company_home, tmp_path_factory.mktemp("server") / "home"))
    store = settings_of(home).open_store()
    key = settings_of(home).open_log(store).new_key("crm")
    store.engine.dispose()
    log = (home / "log.txt").open("w")
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", SERVE, key, ",".join(HEAVY)],
        env={**os.environ, "LEADLOOP_HOME": str(home), "LEADLOOP_CONTACT_SECRET": SECRET},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    try:
        yield Server(process, key)
        assert process.poll() is None, "the server died"
    finally:
        process.communicate("", timeout=START_S)
        log.close()
    said = (home / "log.txt").read_text()
    assert "Traceback" not in said, said


def test_the_first_answer_needs_nothing_of_training(server: Server) -> None:
    assert server.told["loaded"] == []
    assert server.told["said"]["source"] == "model"
    assert server.told["said"]["acknowledged"] is True


def test_it_is_ready_soon_and_small(server: Server) -> None:
    assert server.told["ready"] < START_S
    assert server.told["rss"] < 250  # MB; 127 on the machine of the tests


def test_twenty_megabytes_are_refused_on_the_wire(server: Server) -> None:
    request = urllib.request.Request(
        f"{server.told['address']}/v1/leads", b"[" * 20 * 2**20, {"Authorization": f"Bearer {server.key}"}
    )
    with pytest.raises(urllib.error.URLError) as refused:
        urllib.request.urlopen(request, timeout=20)
    # either the answer comes, or the connection is closed first: the server need not read to the end
    assert getattr(refused.value, "code", 413) == 413
    assert server.lives()


HEAD = "POST /v1/leads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
WIRE = {
    "no HTTP": "\x00\x01\x02\x03\r\n\r\n",
    "TLS on the wrong port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "half a request": "POST /v1/lea",
    "a negative length": HEAD + "Content-Length: -5\r\n\r\n{{}}",
    "a length that is none": HEAD + "Content-Length: five\r\n\r\n{{}}",
    "two lengths": HEAD + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}x",
    "a longer length than the body": HEAD + "Content-Length: 500\r\n\r\n{{}}",
    "chunks that are none": HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n",
    "a chunk of the size of the world": HEAD + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{{}}",
    "headers of a megabyte": HEAD + "X: " + "y" * 2**20 + "\r\n\r\n",
    "bytes in a path": "GET /v1/leads/\xff\xfe/recommendation HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in a header": "GET /v1/leads/1/recommendation HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    "escapes in a path": HEAD.replace("/v1/leads", "/v1/leads/%00%ff%2f..%2f/events") + "Content-Length: 2\r\n\r\n{{}}",
}


@pytest.mark.parametrize("sent", WIRE)
def test_what_is_no_request_stops_nobody(server: Server, sent: str) -> None:
    answer = server.raw(WIRE[sent].format(key=server.key).encode("latin-1"))
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert server.lives()
