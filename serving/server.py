"""Runs the API with uvicorn, for good or while something is tried on it."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from serving.api import make_app
from serving.schemas import LEAD_EXAMPLE
from serving.settings import Settings

START_S = 20  # seconds; a start takes two, a longer one means that the port or the store is held by somebody


def run_server(settings: Settings, host: str, port: int) -> None:
    """Serves until it is stopped; request bodies and addresses stay out of the log."""
    _server(settings, host, port).run()


def _server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        make_app(settings), host=host, port=port, loop="auto", http="httptools", access_log=False, log_level="warning"
    )
    return uvicorn.Server(config)


@contextmanager
def running(settings: Settings, host: str, port: int = 0) -> Iterator[str]:
    """The service in a thread, and its address; a port of 0 is any free one."""
    port = port or _free_port(host)
    server = _server(settings, host, port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _wait(server, thread, port)
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=START_S)


def _wait(server: uvicorn.Server, thread: threading.Thread, port: int) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise OSError(f"the API did not start on port {port}; is it taken? Choose another: LEADLOOP_PORT=8400")
        time.sleep(0.05)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def post(address: str, path: str, key: str, body: Any) -> Any:
    """Sends JSON as a CRM would and gives the answer's JSON."""
    request = urllib.request.Request(  # noqa: S310  the address is our own
        address + path,
        data=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=START_S) as answer:  # noqa: S310
        return json.load(answer)


def curl(address: str, key: str) -> str:
    """The command that posts the example lead, to be pasted into a shell."""
    body = json.dumps(LEAD_EXAMPLE, ensure_ascii=False)
    return (
        f"curl -s {address}/v1/leads -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{body}'"
    )
