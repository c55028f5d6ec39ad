"""The official Kaggle client, called with patience: late import, time limits, retries, errors in plain words.

With kaggle_client.py the only module that imports kaggle. Importing kaggle signs in, creates a folder and prints;
signing in without credentials ends the process. This module lets none of that out.
"""

import base64
import hashlib
import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from curate.sources import Member, kaggle_client, licences
from curate.sources.kaggle_client import client_class, heard
from curate.sources.slow import TooSlow
from imageledger.errors import SourceError
from imageledger.extras import need

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

ATTEMPTS = 5
LONGEST_WAIT = 300.0
"""Seconds. When Kaggle asks for a longer pause, the command ends and says so."""

PAGE, MOST_PAGES = 200, 50_000

SIGN_IN = (
    "make a token at https://www.kaggle.com/settings, then set KAGGLE_API_TOKEN, "
    "or save it as ~/.kaggle/access_token, or run kaggle auth login"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Which dataset: owner and slug as in the page's URL, and the version (0: the newest)."""

    owner: str
    slug: str
    version: int = 0

    @property
    def path(self) -> str:
        """The name as the client takes it: owner/slug, then the version if there is one."""
        return f"{self.owner}/{self.slug}" + (f"/{self.version}" if self.version else "")

    @property
    def address(self) -> str:
        """The address of the source."""
        return f"kaggle:{self.owner}/{self.slug}" + (f"@{self.version}" if self.version else "")

    @property
    def url(self) -> str:
        """The page for people."""
        version = f"/versions/{self.version}" if self.version else ""
        return f"https://www.kaggle.com/datasets/{self.owner}/{self.slug}{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What Kaggle says of a dataset: newest version, title, licence, and bytes (0: unknown)."""

    version: int
    title: str
    licence: str
    size: int


def connect() -> Any:
    """Return the client, signed in where there are credentials and anonymous where there are none."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        api = client_class()()
        try:
            _patiently(api, None, api.authenticate)
        except SystemExit:
            logger.info("no Kaggle credentials found: asking without an account, which public datasets allow")
        else:
            api.signed_in = True
    for line in printed.getvalue().splitlines():
        if line.startswith("Warning:"):
            logger.warning("kaggle: %s", line.removeprefix("Warning:").strip())
    return api


def describe(api: Any, name: Name) -> Facts:
    """Ask for the newest version, title, size and licence of a dataset."""
    types = need("kagglesdk.datasets.types.dataset_api_service", "kaggle")

    def ask() -> Facts:
        with api.build_kaggle_client() as client:
            service = client.datasets.dataset_api_client
            dataset = service.get_dataset(_about(types.ApiGetDatasetRequest(), name))
            about = service.get_dataset_metadata(_about(types.ApiGetDatasetMetadataRequest(), name))
        names = [licence.name for licence in about.info.licenses] if about.info else []
        return Facts(
            version=dataset.current_version_number or 1,
            title=dataset.title or name.slug,
            licence=licences.spdx(names or [dataset.license_name or ""]),
            size=dataset.total_bytes or 0,
        )

    return _patiently(api, name, ask)


def list_files(api: Any, name: Name) -> Iterator[Member]:
    """List all files of a dataset, page by page; a list that never ends, or goes round in a circle, is refused."""
    token, seen = None, set[str]()
    while True:
        page = _patiently(api, name, partial(api.dataset_list_files, name.path, token, PAGE))
        if page.error_message:
            raise SourceError(
                f"{name.address}: Kaggle cannot list its files: {page.error_message}", f"look at {name.url}"
            )
        for file in page.dataset_files:
            yield Member(file.name or file.ref, file.total_bytes)
        token = page.next_page_token
        if not token:
            return
        if token in seen or len(seen) >= MOST_PAGES:
            raise SourceError(f"{name.address}: Kaggle's list of its files does not end", f"look at {name.url}")
        seen.add(token)


def download_zip(api: Any, name: Name, folder: Path) -> tuple[Path, str]:
    """Download a whole dataset into a folder, carrying on with what is there; return the zip and its md5.

    The md5, in base64, is what the storage says of it (`x-goog-hash`), "" where it says nothing. A zip that does not
    match it is removed, and SourceError raised.
    """
    heard.md5 = ""
    _patiently(api, name, lambda: api.dataset_download_files(name.path, path=str(folder), quiet=True))
    path, md5 = folder / f"{name.slug}.zip", heard.md5
    if md5 and md5 != _md5(path):
        path.unlink()
        raise SourceError(
            f"{name.address}: what arrived is not what Kaggle's storage holds (its md5 differs)",
            "run the same command again: it is downloaded anew",
        )
    return path, md5


def download_file(api: Any, name: Name, member: str, folder: Path) -> Path:
    """Download one file of a dataset into an empty folder; return it (it may be a zip of the file)."""
    folder.mkdir(parents=True, exist_ok=True)
    _patiently(api, name, lambda: api.dataset_download_file(name.path, member, path=str(folder), quiet=True))
    files = [path for path in folder.iterdir() if path.suffix != ".kaggle-partial"]
    if len(files) != 1:
        raise SourceError(f"{name.address}: Kaggle sent nothing for {member!r}", "run the same command again")
    return files[0]


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "md5").digest()).decode()


class Missing(SourceError):
    """Kaggle has no such dataset, version or file."""


def _about(request: Any, name: Name) -> Any:
    request.owner_slug = name.owner
    request.dataset_slug = name.slug
    return request


def _patiently(api: Any, name: Name | None, ask: Callable[[], Answer]) -> Answer:
    """Ask; wait and ask again on 429 and 5xx; raise SourceError in words for everything else."""
    errors = need("requests", "kaggle").exceptions
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return ask()
        except errors.HTTPError as error:
            status = _status(error)
            pause = _pause(error, attempt)
            if not (status == 429 or status >= 500) or attempt == ATTEMPTS or pause > LONGEST_WAIT:
                raise _in_words(api, name, status, str(error), pause) from error
            why = "asks for fewer requests" if status == 429 else "has trouble"
            logger.warning(
                "Kaggle %s (%d): waiting %.0f s, then try %d of %d", why, status, pause, attempt + 1, ATTEMPTS
            )
            time.sleep(pause)
        except TooSlow as error:
            raise SourceError(
                f"Kaggle sends less than {kaggle_client.SLOWEST / 1e3:g} kB a second",
                "the same command carries on where it stopped; try it on another network, or later",
            ) from error
        except errors.Timeout as error:
            raise SourceError(
                f"Kaggle did not answer within {kaggle_client.TIME_LIMIT[1]:.0f} s",
                "run the same command again: it carries on; https://status.kaggle.com lists outages",
            ) from error
        except (errors.ConnectionError, errors.ChunkedEncodingError) as error:
            raise SourceError(
                f"Kaggle cannot be reached, or closed the connection: {_short(error)}",
                "check the network (a proxy is set by HTTPS_PROXY); the same command carries on where it stopped",
            ) from error
        except (errors.RequestException, ValueError) as error:
            raise SourceError(
                f"Kaggle's answer cannot be used: {_short(error)}",
                "run the same command again; if the error stays, install the kaggle package that constraints.txt names",
            ) from error
    raise AssertionError("the last attempt returns or raises")


def _status(error: Any) -> int:
    """Return the HTTP status; Kaggle may also put it into the JSON of a 200."""
    status = error.response.status_code if error.response is not None else 0
    if status >= 400:
        return int(status)
    try:
        return int(error.response.json().get("code", 0))
    except (AttributeError, ValueError):
        return 0


def _pause(error: Any, attempt: int) -> float:
    """Return how many seconds to wait: what Retry-After asks for (seconds or a date), else 2, 4, 8 and so on."""
    asked = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (TypeError, ValueError):
        return float(2**attempt)


def _in_words(api: Any, name: Name | None, status: int, message: str, pause: float) -> SourceError:
    what = name.address if name else "signing in"
    anonymous = name is not None and not api.signed_in
    if status == 401:
        if anonymous:
            return SourceError(f"{what}: Kaggle asks for an account, and there are no valid credentials (401)", SIGN_IN)
        return SourceError(f"{what}: Kaggle does not accept your credentials (401)", SIGN_IN)
    if status == 403:
        hint = f"open {name.url} in a browser: it may be private, or ask you to accept its terms" if name else SIGN_IN
        if anonymous:
            return SourceError(f"{what}: Kaggle refuses it without an account (403)", f"{SIGN_IN}; or {hint}")
        return SourceError(f"{what}: Kaggle refuses it (403)", hint)
    if status == 404:
        return Missing(
            f"{what}: Kaggle does not have it (404)",
            "check owner, slug and version: they are in the page's URL, kaggle.com/datasets/OWNER/SLUG",
        )
    if status == 429:
        return SourceError(
            f"{what}: Kaggle takes no more requests for now (429)",
            f"run the same command again in {min(max(pause, 60), 86_400) / 60:.0f} min; it carries on",
        )
    if status >= 500:
        return SourceError(
            f"{what}: Kaggle has trouble on its side ({status})",
            "run the same command again later; https://status.kaggle.com lists outages",
        )
    return SourceError(
        f"{what}: Kaggle answered {status or 'an error'}: {_short(message)}", "run the same command again"
    )


def _short(error: object) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else text[:199] + "…"
