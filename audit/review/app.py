"""The pages of the desk and what they ask of it: Starlette routes over a Desk; every answer is a whole page."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from audit import page
from audit.review import choices
from audit.review.ahead import Name, Pictures
from audit.review.desk import LONGEST, Desk, NotDecided
from audit.review.queues import NAMES, Item, Queue, found
from audit.review.views import KEYS, chosen, views
from imageledger.decisions import Decision
from imageledger.errors import LedgerError

OF_DECISIONS = ("unsure", "disagreements")
"""Queues that change while people decide; they are made anew whenever somebody looks at all queues."""

PER_PAGE = 60
AHEAD = 6
"""Items whose pictures are made before anybody asks for them."""

FILES = {"review.mjs": "text/javascript", "review.css": "text/css", "icon.svg": "image/svg+xml"}


class Pages:
    """The handlers: each reads the request, asks the desk, and renders or redirects."""

    def __init__(self, desk: Desk, pictures: Pictures, token: str) -> None:
        self.desk, self.pictures, self.root = desk, pictures, f"/{token}"

    def index(self, request: Request) -> Response:
        """List the queues, with how much of each is decided."""
        self.desk.read_on()
        self.desk.queues.renew(OF_DECISIONS)
        made = {name: self.desk.queues.at_once(name) for name in NAMES}
        rows = [(name, queue, self.desk.done(queue) if queue else 0) for name, queue in made.items()]
        return self._page("index.html", rows=rows, heading="Queues")

    def start(self, request: Request) -> Response:
        """Go on with a queue at its first undecided item."""
        queue = self._queue(request)
        self.desk.read_on()
        places = found(queue, _find(request), self.desk.is_decided)
        if not places:
            return self._page("none.html", queue=queue, heading=queue.title, find=_find(request))
        place = next((n for n in places if not self.desk.is_decided(queue.items[n])), places[0])
        return RedirectResponse(self._address(queue, place, _find(request)), 303)

    def item(self, request: Request) -> Response:
        """Show one item."""
        queue, place = self._queue(request), self._place(request)
        self.desk.read_on()
        return self._item(queue, place, request)

    def go(self, request: Request) -> Response:
        """Go to an item by its number, or to the first that a filter finds."""
        queue, text = self._queue(request), request.query_params.get("n", "").strip()
        places = found(queue, _find(request), self.desk.is_decided)
        if text.isdecimal() and queue.items:
            place = min(max(int(text[:9]), 1), len(queue.items)) - 1
            return RedirectResponse(self._address(queue, place, _find(request)), 303)
        if not places:
            return self._page("none.html", queue=queue, heading=queue.title, find=_find(request))
        return RedirectResponse(self._address(queue, places[0], _find(request)), 303)

    def grid(self, request: Request) -> Response:
        """Show many items at once, to decide the same about several."""
        queue, find = self._queue(request), _find(request)
        self.desk.read_on()
        places = found(queue, find, self.desk.is_decided)
        pages = max(1, -(-len(places) // PER_PAGE))
        number = min(max(_number(request.query_params.get("page", "1")), 1), pages)
        shown = places[(number - 1) * PER_PAGE : number * PER_PAGE]
        cells = [(n, queue.items[n], self._thumbs(queue.items[n]), self.desk.is_decided(queue.items[n])) for n in shown]
        self.pictures.ahead([name for *_, names, _ in cells for name in names], "small")
        return self._page(
            "grid.html", queue=queue, heading=queue.title, cells=cells, find=find, page=number, pages=pages,
            count=len(places), choices=(*choices.OF_ONE, *choices.OF_TWO), said=self._saved(request, queue),
        )  # fmt: skip

    async def decide(self, request: Request) -> Response:
        """Append a decision about an item and, once it is on the disk, say so and go on."""
        form = await _form(request)
        return await run_in_threadpool(self._decide, request, form)

    async def decide_many(self, request: Request) -> Response:
        """Append the same decision about every selected item."""
        form = await _form(request)
        return await run_in_threadpool(self._decide_many, request, form)

    async def undo(self, request: Request) -> Response:
        """Take back a decision."""
        form = await _form(request)
        return await run_in_threadpool(self._undo, request, form)

    def state(self, request: Request) -> Response:
        """Tell a page whether what it shows is still so."""
        queue, place = self._queue(request), self._place(request)
        self.desk.read_on()
        done = self.desk.done(queue)
        return JSONResponse({"seen": self.desk.seen(queue.items[place]), "decided": done})

    def picture(self, request: Request) -> Response:
        """Serve a picture; its names are checked before any path is made of them."""
        words = request.path_params["names"].split("/")
        size, name = request.path_params["size"], tuple(words)
        arity = {"object": 2, "white": 3, "heat": 2}
        if size not in ("large", "small") or arity.get(words[0]) != len(words):
            raise HTTPException(404)
        try:
            return Response(self.pictures.webp(name, size), media_type="image/webp")
        except (LedgerError, OSError) as error:
            return PlainTextResponse(f"{error}\n", 404)

    def file(self, request: Request) -> Response:
        """Serve the script, the style or the icon of the desk."""
        name = request.path_params["name"]
        if name not in FILES:
            raise HTTPException(404)
        text = page.render("review/review.css") if name == "review.css" else (_HERE / name).read_text(encoding="utf-8")
        return Response(text, media_type=FILES[name])

    def _decide(self, request: Request, form: dict[str, list[str]]) -> Response:
        queue, place, find = self._queue(request), self._place(request), _one(form, "find")
        item = queue.items[place]
        self.desk.read_on()
        before, elsewhere = _one(form, "seen"), self.desk.seen(item)
        try:
            made = self.desk.decide(
                [item], _one(form, "decision"), about=_number(_one(form, "about")), note=_one(form, "note"),
                queue=queue.name,
            )  # fmt: skip
        except LedgerError as error:
            return self._refused(request, error)
        conflict = self._conflict(item, made[0]) if before and before != elsewhere else ""
        place = self._after(queue, place, find)
        return self._done(request, queue, made, self._address(queue, place, find), conflict)

    def _decide_many(self, request: Request, form: dict[str, list[str]]) -> Response:
        queue, kind, find = self._queue(request), _one(form, "decision"), _one(form, "find")
        places = sorted({_number(text) - 1 for text in form.get("item", [])})
        items = [queue.items[place] for place in places if 0 <= place < len(queue.items)]
        back = f"{self.root}/{queue.name}/grid?{urlencode({'find': find, 'page': _one(form, 'page') or '1'})}"
        try:
            if not items:
                raise NotDecided("no picture is selected", "tick those that you mean")
            if kind in {choice.kind for choice in choices.OF_TWO} and all(len(item.records) == 1 for item in items):
                items = [Item(tuple(item.records[0] for item in items), "selected together")]
            made = self.desk.decide(items, kind, note=_one(form, "note"), queue=queue.name)
        except LedgerError as error:
            return self._refused(request, error)
        return self._done(request, queue, made, back, "")

    def _undo(self, request: Request, form: dict[str, list[str]]) -> Response:
        queue, place = self._queue(request), self._place(request)
        try:
            made = [self.desk.take_back(queue.items[place], _one(form, "undoes"))]
        except LedgerError as error:
            return self._refused(request, error)
        address = self._address(queue, place, _one(form, "find"))
        if "application/json" in request.headers.get("accept", ""):
            done = self.desk.done(queue)
            return JSONResponse({"said": f"Taken back: {made[0].words}.", "next": address, "decided": done})
        return RedirectResponse(address, 303)

    def _item(self, queue: Queue, place: int, request: Request) -> Response:
        item, find = queue.items[place], _find(request)
        places = found(queue, find, self.desk.is_decided) if find else range(len(queue.items))
        at = bisect_left(places, place)
        before, after = (places[at - 1] if at else None), next((n for n in places[at : at + 2] if n > place), None)
        onward = self._after(queue, place, find)
        wanted = request.query_params.get("view", "")
        seen = [(record, views(record, self.pictures.has_heat)) for record in item.records]
        shown = [(record, there, chosen(there, wanted)) for record, there in seen]
        self._ahead(queue, place)
        first = item.records[0]
        return self._page(
            "item.html", queue=queue, heading=queue.title, item=item, place=place, find=find, shown=shown, keys=KEYS,
            choices=choices.choices(item.records, self.desk.wrong_label(first)), longest=LONGEST,
            history=self.desk.history(item), seen=self.desk.seen(item), said=self._saved(request, queue),
            done=self.desk.done(queue), here=self._address(queue, place, find),
            before=None if before is None else self._address(queue, before, find),
            after=None if after is None else self._address(queue, after, find),
            onward=None if onward == place else self._address(queue, onward, find),
        )  # fmt: skip

    def _ahead(self, queue: Queue, place: int) -> None:
        coming = [record for item in queue.items[place : place + AHEAD] for record in item.records]
        there = [views(record, self.pictures.has_heat) for record in coming]
        first = [view for each in there if (view := chosen(each, ""))]
        rest = [view for each in there for view in each]
        self.pictures.ahead(dict.fromkeys(view.picture for view in (*first, *rest)))

    def _thumbs(self, item: Item) -> Sequence[Name]:
        best = (chosen(views(record, self.pictures.has_heat), "") for record in item.records)
        return [view.picture for view in best if view]

    def _after(self, queue: Queue, place: int, find: str) -> int:
        """Return the place of the next undecided item, else of the next, else the same place."""
        places: Sequence[int] = range(place + 1, len(queue.items))
        if find:
            places = [n for n in found(queue, find, self.desk.is_decided) if n > place]
        return next((n for n in places if not self.desk.is_decided(queue.items[n])), min(places, default=place))

    def _conflict(self, item: Item, made: Decision) -> str:
        others = [said for said in self.desk.history(item) if said.made.digest != made.digest]
        if not others:
            return ""
        last = others[0].made
        return f"{last.who} had decided {last.words!r} meanwhile. Your decision is the later one and holds; both stay."

    def _saved(self, request: Request, queue: Queue) -> str:
        """Say what was saved just before, from a number in the address: nothing of the address itself is shown."""
        count = _number(request.query_params.get("saved", "0"))
        return f"Saved: {count} decision{'s' * (count != 1)}." if 0 < count <= 10_000 else ""

    def _done(self, request: Request, queue: Queue, made: Sequence[Decision], address: str, conflict: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({
                "said": f"Saved: {made[0].words}.", "undoes": made[0].digest, "next": address, "conflict": conflict,
                "decided": self.desk.done(queue),
            })  # fmt: skip
        sign = "&" if "?" in address else "?"
        return RedirectResponse(f"{address}{sign}saved={len(made)}", 303)

    def _refused(self, request: Request, error: LedgerError) -> Response:
        said = f"Not saved: {error.what}." + (f" Try: {error.hint}." if error.hint else "")
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"said": said}, 400)
        return self._page("refused.html", heading="Not saved", said=said, status=400)

    def _queue(self, request: Request) -> Queue:
        name = request.path_params["queue"]
        if name not in self.desk.queues:
            raise HTTPException(404)
        return self.desk.queues[name]

    def _place(self, request: Request) -> int:
        place = int(request.path_params["n"]) - 1
        if not 0 <= place < len(self._queue(request).items):
            raise HTTPException(404)
        return place

    def _address(self, queue: Queue, place: int, find: str) -> str:
        return f"{self.root}/{queue.name}/{place + 1}" + (f"?{urlencode({'find': find})}" if find else "")

    def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        text = page.render(f"review/{template}", desk=self.desk, root=self.root, **values)
        return HTMLResponse(text.encode("utf-8", errors="replace"), status)


def app_of(desk: Desk, pictures: Pictures, token: str, guard: Callable[[ASGIApp], ASGIApp]) -> ASGIApp:
    """Return the ASGI application of a desk, behind its guard."""
    pages = Pages(desk, pictures, token)
    routes = [
        Route("/", pages.index),
        Route("/file/{name}", pages.file),
        Route("/picture/{size}/{names:path}", pages.picture),
        Route("/{queue}/", pages.start),
        Route("/{queue}/go", pages.go),
        Route("/{queue}/grid", pages.grid),
        Route("/{queue}/decide", pages.decide_many, methods=["POST"]),
        Route("/{queue}/{n:int}", pages.item),
        Route("/{queue}/{n:int}/state", pages.state),
        Route("/{queue}/{n:int}/decide", pages.decide, methods=["POST"]),
        Route("/{queue}/{n:int}/undo", pages.undo, methods=["POST"]),
    ]
    return guard(Starlette(routes=[Mount(f"/{token}", routes=routes)]))


async def _form(request: Request) -> dict[str, list[str]]:
    text = (await request.body()).decode("utf-8", errors="replace")
    return parse_qs(text, keep_blank_values=True)


def _one(form: dict[str, list[str]], name: str) -> str:
    return (form.get(name) or [""])[0]


def _find(request: Request) -> str:
    return request.query_params.get("find", "")[:200]


def _number(text: str) -> int:
    return int(text[:9]) if text.isdecimal() and text.isascii() else 0


_HERE = Path(__file__).parent
