"""The official Kaggle client as a class that prints nothing and never waits without end."""

import re
import threading
from functools import cache
from typing import Any

from curate.sources.slow import watched
from imageledger.extras import need

TIME_LIMIT = (15.0, 120.0)
"""Seconds to connect, and between two bytes; the client itself sets none and would wait for ever."""

SLOWEST = 10_000
"""Bytes a second, on average over a piece of a download: what drips more slowly would take days, or never end."""

heard = threading.local()
"""What the storage said of the download of this thread."""


@cache
def client_class() -> Any:
    """Import the client and return it as a class that prints nothing and never waits without end."""
    requests = need("requests", "kaggle")
    kaggle_client: Any = need("kagglesdk.kaggle_client", "kaggle")

    class Impatient(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def send(self, request: Any, **options: Any) -> Any:
            options["timeout"] = options.get("timeout") or TIME_LIMIT
            answer = super().send(request, **options)
            if found := re.search(r"md5=([A-Za-z0-9+/=]+)", answer.headers.get("x-goog-hash", "")):
                heard.md5 = found[1]
            answer.raw.stream = watched(answer.raw, TIME_LIMIT[1], SLOWEST)
            return answer

    def mounted(session: Any) -> Any:
        for scheme in ("https://", "http://"):
            session.mount(scheme, Impatient())
        return session

    class HttpClient(kaggle_client.KaggleHttpClient):  # type: ignore[misc, name-defined]
        def _init_session(self) -> None:
            if self._session is None:
                super()._init_session()
                mounted(self._session)

    kaggle_client.KaggleHttpClient = HttpClient
    kaggle_api: Any = need("kaggle.api.kaggle_api_extended", "kaggle")

    class Requests:
        """The module as the client sees it, which resumes downloads past its own session."""

        def __getattr__(self, name: str) -> Any:
            return getattr(requests, name)

        @staticmethod
        def request(method: str, url: str, **options: Any) -> Any:
            with mounted(requests.Session()) as session:
                return session.request(method=method, url=url, **options)

    kaggle_api.requests = Requests()

    class Client(kaggle_api.KaggleApi):  # type: ignore[misc, name-defined]
        signed_in = False

        def _print_dataset_url_and_license(self, *_: object) -> None:
            """Print nothing: this runs in threads, whose output cannot be redirected separately."""

    return Client
