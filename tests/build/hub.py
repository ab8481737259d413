"""A Hub on loopback: the endpoints that `huggingface_hub` asks for data sets, with every byte it gives counted."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SMALL = 1000  # bytes; larger files are LFS files, known by their SHA-256


@dataclass
class Hub:
    """One data set with its commits: what each holds, by path. `main` is the newest.

    `refuse`: for paths that contain a text, status and headers to answer with, so many times. `cut`: bytes after which
    the connection of the next download breaks. `spoil`: give other bytes than those that the tree names.
    """

    repo: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    main: str = ""
    token: str | None = None
    gated: bool = False
    refuse: dict[str, tuple[int, dict[str, str], int]] = field(default_factory=dict)
    cut: int | None = None
    spoil: bool = False
    given: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def commit(self, files: dict[str, bytes]) -> str:
        """A new commit with these files, which `main` names from now on."""
        self.main = hashlib.sha1(json.dumps({k: v.hex() for k, v in files.items()}).encode()).hexdigest()
        self.commits[self.main] = files
        return self.main

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit that a revision names."""
        name = self.main if revision == "main" else revision
        return (name, self.commits[name]) if name in self.commits else None


def tree_entry(path: str, data: bytes) -> dict[str, Any]:
    """What the Hub's tree says of a file."""
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": oid}
    if len(data) > SMALL:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return entry


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, head: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked[f"{self.command} {path}"] += 1
        for part, (status, headers, times) in list(self.hub.refuse.items()):
            if part in path and times:
                self.hub.refuse[part] = (status, headers, times - 1)
                return self._send(status, b'{"error": "busy"}', headers, head)
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            code = "GatedRepo" if self.hub.gated else "RepoNotFound"
            return self._send(403 if self.hub.gated else 401, b"{}", {"X-Error-Code": code}, head)
        return self._route(path, head)

    def _route(self, path: str, head: bool) -> None:
        api, files = f"/api/datasets/{self.hub.repo}", f"/datasets/{self.hub.repo}/resolve/"
        if path == api or path.startswith(f"{api}/revision/"):
            found = self.hub.at(path.removeprefix(api).removeprefix("/revision/") or "main")
            body = found and {"id": self.hub.repo, "sha": found[0], "siblings": [{"rfilename": n} for n in found[1]]}
            return self._json(body, "RevisionNotFound", head)
        if path.startswith(f"{api}/tree/"):
            found = self.hub.at(path.removeprefix(f"{api}/tree/"))
            return self._json(found and [tree_entry(*one) for one in found[1].items()], "RevisionNotFound", head)
        if path.startswith(files):
            revision, _, name = path.removeprefix(files).partition("/")
            return self._file(self.hub.at(revision), name, head)
        return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, head)

    def _json(self, body: Any, code: str, head: bool) -> None:
        if body is None:
            self._send(404, b"{}", {"X-Error-Code": code}, head)
        else:
            self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"}, head)

    def _file(self, found: tuple[str, dict[str, bytes]] | None, name: str, head: bool) -> None:
        if found is None or name not in found[1]:
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, head)
        entry = tree_entry(name, found[1][name])
        data = found[1][name] if not self.hub.spoil else b"x" * entry["size"]
        etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        headers = {"X-Repo-Commit": found[0], "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if head:
            return self._send(200, data, headers, head)
        begin, status = 0, 200
        if wanted := self.headers.get("Range"):
            begin = int(wanted.removeprefix("bytes=").split("-")[0])
            status, headers["Content-Range"] = 206, f"bytes {begin}-{len(data) - 1}/{len(data)}"
        return self._send(status, data[begin:], headers, head, name)

    def _send(self, status: int, body: bytes, headers: dict[str, str], head: bool, name: str = "") -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if head:
            return
        cut, self.hub.cut = (self.hub.cut, None) if name else (None, self.hub.cut)
        self.wfile.write(body[:cut])
        self.hub.given[name] += len(body[:cut])
        if cut is not None:
            self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The Hub, answering at `hub.url` for as long as this lasts."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield hub
        server.shutdown()
