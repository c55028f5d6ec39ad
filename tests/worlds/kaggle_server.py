"""A loopback Kaggle: the part of the JSON POST API that the real client uses for datasets, with faults on order.

    with serve({"ana/faces": Published({1: {"real/1.jpg": b"…"}})}) as server:
        subprocess.run([...], env={**os.environ, **server.environment})

`server.environment` points a client in a new process at this server. Inside a process that has imported kaggle
already, `server.redirect(monkeypatch)` does the same.
"""

import base64
import hashlib
import io
import json
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

LAST_MODIFIED = "Sun, 01 Mar 2026 10:00:00 GMT"
SERVICE = "/datasets.DatasetApiService/"


@dataclass
class Published:
    """A dataset on the server: version -> member -> bytes; the newest version is the current one."""

    versions: Mapping[int, Mapping[str, bytes]]
    licence: str = "CC0: Public Domain"
    title: str = "Faces"
    private: bool = False
    claimed_bytes: int = 0
    wrap_files: bool = False


@dataclass
class Asked:
    """One request that came, and how many bytes of body went back."""

    method: str
    call: str
    body: Mapping[str, Any]
    range: str = ""
    authorization: str = ""
    sent: int = 0


@dataclass
class Fault:
    """What goes wrong in a call: a status, a break after `cut` bytes, a wrong byte, `hang` seconds, `drip` a byte."""

    call: str
    times: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = -1
    flip: int = -1
    hang: float = 0.0
    drip: float = 0.0


class Server:
    """The running server: what it was asked, and the faults it is to make."""

    def __init__(self, datasets: Mapping[str, Published], token: str, page_size: int, home: str) -> None:
        self.datasets = dict(datasets)
        self.token = token
        self.page_size = page_size
        self.home = home
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.etag = "one"
        self.guard = threading.Lock()
        self.port = 0
        self._zips: dict[tuple[str, int], bytes] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make the real client of another process talk to this server, as a stranger."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "",
            "no_proxy": "", "KAGGLE_CONFIG_DIR": self.home, "KAGGLE_API_TOKEN": self.token,
        }  # fmt: skip

    def redirect(self, monkeypatch: Any) -> None:
        """Point the client of this process here: its endpoint is replaced, its home is an empty folder."""
        for name in [name for name in os.environ if name.startswith("KAGGLE_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", self.home)
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", self.home)
        if self.token:
            monkeypatch.setenv("KAGGLE_API_TOKEN", self.token)
        from kagglesdk import kaggle_env

        for environment in (kaggle_env.KaggleEnv.LOCAL, kaggle_env.KaggleEnv.PROD):
            monkeypatch.setitem(kaggle_env._env_to_endpoint, environment, f"http://127.0.0.1:{self.port}")

    def fail(
        self, call: str, status: int = 0, *, times: int = 1, cut: int = -1, flip: int = -1, hang: float = 0.0,
        drip: float = 0.0, **headers: str,
    ) -> None:  # fmt: skip
        """Order a fault for the next calls, such as fail("DownloadDataset", 429, Retry_After="7")."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(call, times, status, named, cut, flip, hang, drip))

    def calls(self, call: str) -> list[Asked]:
        """Return the requests of one kind that came so far; "storage" are the downloads themselves."""
        return [asked for asked in self.asked if asked.call == call]

    def zip_of(self, slug: str, version: int) -> bytes:
        """Return the zip of a version, always the same bytes."""
        if (slug, version) not in self._zips:
            self._zips[slug, version] = zipped(self.datasets[slug].versions[version])
        return self._zips[slug, version]

    def fault(self, call: str) -> Fault | None:
        """Take the next fault ordered for a call."""
        with self.guard:
            for fault in self.faults:
                if fault.call == call and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def serve(
    datasets: Mapping[str, Published | Mapping[str, bytes]], *, token: str = "", page_size: int = 1000
) -> Iterator[Server]:
    """Serve datasets on a free loopback port; a plain mapping of members is published as version 1."""
    published = {slug: d if isinstance(d, Published) else Published({1: d}) for slug, d in datasets.items()}
    with tempfile.TemporaryDirectory() as home:
        server = Server(published, token, page_size, home)
        handler = type("Handler", (_Handler,), {"kaggle": server})
        httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        httpd.daemon_threads = True
        server.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            httpd.server_close()
            thread.join()


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a zip of members, stored, with one fixed date."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 10, 0, 0)), body)
    return content.getvalue()


def folder_members(folder: Path, under: str) -> dict[str, bytes]:
    """Return the files of a folder as members below a name, for serving real pictures."""
    return {f"{under}/{path.name}": path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


class _Handler(BaseHTTPRequestHandler):
    kaggle: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = urlsplit(self.path).path
        call = path.rpartition("/")[2]
        asked = self._note("POST", call, body)
        if fault := self.kaggle.fault(call):
            threading.Event().wait(fault.hang)
            return self._error(fault.status, "ordered by the test", fault.headers)
        if call == "IntrospectToken":
            known = body.get("token") == self.kaggle.token
            return self._json({"active": known, "username": "ana" if known else ""})
        if SERVICE not in path:
            return self._error(404, f"no service {path}")
        slug = f"{body.get('ownerSlug')}/{body.get('datasetSlug')}"
        dataset = self.kaggle.datasets.get(slug)
        if dataset is None:
            return self._error(404, "Dataset not found")
        if dataset.private and asked.authorization != f"Bearer {self.kaggle.token}":
            return self._error(403 if asked.authorization else 401, "Permission 'datasets.get' was denied")
        version = body.get("datasetVersionNumber") or max(dataset.versions)
        if version not in dataset.versions:
            return self._error(404, "No such version")
        answer = getattr(self, f"_{call}", self._unknown)
        answer(slug, dataset, version, body)
        return None

    def do_GET(self) -> None:
        asked = self._note("GET", "storage", {})
        _, _, owner, name, version, *rest = urlsplit(self.path).path.split("/")
        slug, number, file = f"{owner}/{name}", int(version), unquote("/".join(rest))
        fault = self.kaggle.fault("storage")
        if fault and fault.status:
            return self._error(fault.status, "ordered by the test", fault.headers)
        content = self._content(slug, number, file)
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}-{self.kaggle.etag}"'
        start = 0
        if asked.range and self.headers.get("If-Range") in (None, etag, LAST_MODIFIED):
            start = int(asked.range.removeprefix("bytes=").partition("-")[0])
            if start >= len(content):
                return self._error(416, "range not satisfiable")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for key, value in {
            "Content-Type": "application/octet-stream", "Content-Length": str(len(content) - start),
            "Accept-Ranges": "bytes", "ETag": etag, "Last-Modified": LAST_MODIFIED,
            "x-goog-hash": f"crc32c=AAAAAA==, md5={base64.b64encode(hashlib.md5(content).digest()).decode()}",
        }.items():  # fmt: skip
            self.send_header(key, value)
        self.end_headers()
        body = content[start:] if fault is None or fault.cut < 0 else content[start : start + fault.cut]
        if fault and fault.flip >= 0:
            body = body[: fault.flip] + bytes([body[fault.flip] ^ 1]) + body[fault.flip + 1 :]
        while fault and fault.drip and len(body) > asked.sent:
            self.wfile.write(body[asked.sent : asked.sent + 1])
            asked.sent += 1
            threading.Event().wait(fault.drip)
        self.wfile.write(body[asked.sent :])
        asked.sent = len(body)
        if len(body) < len(content) - start:
            self.wfile.flush()
            self.close_connection = True
        return None

    def _content(self, slug: str, version: int, file: str) -> bytes:
        dataset = self.kaggle.datasets[slug]
        if not file.startswith("file/"):
            return self.kaggle.zip_of(slug, version)
        name = file.removeprefix("file/")
        body = dataset.versions[version][name]
        return zipped({name.rpartition("/")[2]: body}) if dataset.wrap_files else body

    def _GetDataset(self, slug: str, dataset: Published, version: int, body: Mapping[str, Any]) -> None:
        newest = max(dataset.versions)
        size = dataset.claimed_bytes or sum(map(len, dataset.versions[newest].values()))
        self._json({
            "id": 7, "ref": slug, "title": dataset.title, "totalBytes": size, "currentVersionNumber": newest,
            "licenseName": dataset.licence, "lastUpdated": "2026-03-01T10:00:00.000Z",
        })  # fmt: skip

    def _GetDatasetStatus(self, slug: str, dataset: Published, version: int, body: Mapping[str, Any]) -> None:
        self._json({"status": "READY"})

    def _GetDatasetMetadata(self, slug: str, dataset: Published, version: int, body: Mapping[str, Any]) -> None:
        licences = [{"name": dataset.licence}] if dataset.licence else []
        self._json({"info": {"datasetId": 7, "datasetSlug": slug, "title": dataset.title, "licenses": licences}})

    def _ListDatasetFiles(self, slug: str, dataset: Published, version: int, body: Mapping[str, Any]) -> None:
        names = sorted(dataset.versions[version])
        first = int(body.get("pageToken") or 0)
        last = first + min(self.kaggle.page_size, body.get("pageSize") or 20)
        sizes = {name: len(dataset.versions[version][name]) for name in names}
        self._json({
            "datasetFiles": [
                {"name": name, "totalBytes": sizes[name], "creationDate": "2026-03-01T10:00:00.000Z"}
                for name in names[first:last]
            ],
            "nextPageToken": str(last) if last < len(names) else "",
        })  # fmt: skip

    def _DownloadDataset(self, slug: str, dataset: Published, version: int, body: Mapping[str, Any]) -> None:
        name = body.get("fileName")
        if name and name not in dataset.versions[version]:
            return self._error(404, "No such file")
        place = f"file/{quote(name)}" if name else "archive.zip"
        base = f"http://{self.headers['Host']}"
        self.send_response(302)
        self.send_header("Location", f"{base}/storage/{slug}/{version}/{place}?signature=x")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def _unknown(self, *_: object) -> None:
        self._error(404, f"no call {self.path}")

    def _note(self, method: str, call: str, body: Mapping[str, Any]) -> Asked:
        asked = Asked(method, call, body, self.headers.get("Range", ""), self.headers.get("Authorization", ""))
        with self.kaggle.guard:
            self.kaggle.asked.append(asked)
        return asked

    def _json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(content)

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self._json({"code": status, "message": message}, status, headers)
