"""A server that says what a test wants, on a real socket: registries that lie, drip, break off and send us away."""

from __future__ import annotations

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from tests.registry.images import build_image, build_index, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE: Final = build_image()
INDEX: Final = build_index([("linux/arm64", build_image("arm", architecture="arm64")), ("linux/amd64", IMAGE)])
OTHER: Final = build_image("another")
_NAMED: Final = {
    "image": (IMAGE.manifest, IMAGE.media_type),
    "other": (OTHER.manifest, OTHER.media_type),
    "index": (INDEX.manifest, INDEX.media_type),
    "config": (IMAGE.blobs[0], "application/octet-stream"),
}
WORDS: Final = {
    "$image": IMAGE.digest,
    "$other": OTHER.digest,
    "$index": INDEX.digest,
    "$config": digest(IMAGE.blobs[0]),
}


def filled(text: str, more: Mapping[str, str] | None = None) -> str:
    """A text of a case with the digests of the images that tests share."""
    for word, value in {**WORDS, **(more or {})}.items():
        text = text.replace(word, value)
    return text


class Asked(NamedTuple):
    """What the server was asked: the path, and who said to be asking."""

    path: str
    authorization: str


class Hostile:
    """Answers by path, as a case has them: one answer, or a list of which the last one stays.

    An answer has `status`, `headers`, and a body: `send` names one of the
    shared images, `text` is itself, `zeros` so many of them. `claims` is a
    false length, `cut` ends the connection after so many bytes, `drip_s`
    sends one byte each so many seconds, `wait_s` waits before all, and who
    `hangs_up` says nothing.
    """

    def __init__(self, answers: Mapping[str, Any], words: Mapping[str, str] | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers = {path: found if isinstance(found, list) else [found] for path, found in answers.items()}
        self.words = dict(words or {})
        self._seen: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, path: str) -> dict[str, Any]:
        answers = self._answers.get(path) or self._answers.get(path.partition("?")[0])
        if answers is None:
            return {} if path == "/v2/" else {"status": 404}
        with self._lock:
            number = self._seen[path]
            self._seen[path] += 1
        found: dict[str, Any] = answers[min(number, len(answers) - 1)]
        return found

    def _body(self, answer: dict[str, Any]) -> tuple[bytes, str]:
        if "send" in answer:
            return _NAMED[answer["send"]]
        if "zeros" in answer:
            return b"0" * answer["zeros"], "application/octet-stream"
        return filled(answer.get("text", ""), self.words).encode(), answer.get("type", "application/json")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                hostile.asked.append(Asked(self.path, self.headers.get("Authorization", "")))
                answer = hostile._next(self.path)
                hostile._ends.wait(answer.get("wait_s", 0))
                if answer.get("hangs_up"):
                    self.close_connection = True
                    return
                try:
                    self._answer(answer)
                except OSError:
                    self.close_connection = True  # whoever asked has gone

            def _answer(self, answer: dict[str, Any]) -> None:
                body, media_type = hostile._body(answer)
                status = answer.get("status", 200)
                headers = {"Content-Type": media_type, "Content-Length": str(answer.get("claims", len(body)))}
                headers |= {key: filled(value, hostile.words) for key, value in answer.get("headers", {}).items()}
                lines = [f"HTTP/1.1 {status} So", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
                content = "\r\n".join(lines).encode("latin-1") + body
                if "cut" in answer:
                    content = content[: len(content) - len(body) + answer["cut"]]
                    self.close_connection = True
                if "drip_s" not in answer:
                    self.wfile.write(content)
                    return
                for number in range(len(content)):
                    self.wfile.write(content[number : number + 1])
                    if hostile._ends.wait(answer["drip_s"]):
                        return

        return Handler
