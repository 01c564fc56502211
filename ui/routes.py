"""Pictures by address, beside the pages, and the headers of every answer.

Streamlit's own checks do not cover these routes: they read nothing but plain names and numbers from
the address, answer GET alone, and give 404 for whatever is not there.
"""

import functools
import hashlib
import logging
import re
from collections.abc import Callable
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import draw, images, index, language
from engine.errors import EngineError, ImageError
from engine.language import tr
from engine.surf import Features, Keypoints
from ui import keypoints, samples, urls
from ui.link import Link
from ui.opened import describe, open_index
from ui.surf import pictures as surf_pictures
from ui.surf import view as surf_view
from ui.uploads import STORE
from ui.why import asked, network, overlays
from ui.why.view import View

log = logging.getLogger(__name__)
SIDES = (160, 320, 640, 1280)
MOST_DRAWN = 150  # keypoints on one picture; more are a wall
_WORDS = re.compile(r"\d{1,9}(-\d{1,9}){0,63}")
ONE_YEAR = 31_536_000
# Streamlit needs styles in the page, components as blobs, and a websocket; nothing comes from
# elsewhere, and nothing leaves for elsewhere.
POLICY = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": "; ".join(POLICY).encode(),
}


class SecurityHeaders:
    """Add HEADERS to every HTTP answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [(k, v) for k, v in HEADERS.items() if k not in given]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def _side(request: Request) -> int:
    side = int(request.query_params.get("side", "320"))
    if side not in SIDES:
        raise ValueError(f"side must be one of {SIDES}")
    return side


def _tagged(data: bytes, kind: str, *, private: bool) -> Response:
    control = "private, max-age=600" if private else f"private, max-age={ONE_YEAR}, immutable"
    tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'
    return Response(data, media_type=kind, headers={"cache-control": control, "etag": tag})


def _jpeg(data: bytes, *, private: bool) -> Response:
    return _tagged(data, "image/jpeg", private=private)


def _language(request: Request) -> str:
    """Return the language of the address, else the first that the browser asks for."""
    asked = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return language.nearest(request.query_params.get("lang") or asked)


def _guard(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    @functools.wraps(answer)
    def guarded(request: Request) -> Response:
        with language.speaking(_language(request)):
            return told(request)

    def told(request: Request) -> Response:
        try:
            given = answer(request)
            tag = given.headers.get("etag")
            if tag and tag in request.headers.get("if-none-match", ""):
                kept = {k: given.headers[k] for k in ("etag", "cache-control")}
                return Response(status_code=304, headers=kept)
            return given
        except (ImageError, ValueError, KeyError) as error:
            why = str(error)
        except (EngineError, OSError) as error:
            log.warning("%s: %s", request.url.path, error)
            why = tr("this cannot be read now")  # the reason names files of the server
        return Response(why, status_code=404, media_type="text/plain; charset=utf-8")

    return guarded


def _with_keypoints(
    small: bytes,
    longest: int,
    found: Features | Keypoints,
    word_ids: NDArray[np.int32],
    request: Request,
) -> bytes:
    """Draw the strongest keypoints on a picture, or those of some words (`keypoints=3-17`).

    Its thumbnail is drawn on, since a large photograph takes ten times as long to decode whole;
    `longest` is the longest side of the original.
    """
    chosen = request.query_params["keypoints"]
    kept = np.arange(len(word_ids))
    if _WORDS.fullmatch(chosen):
        kept = np.flatnonzero(np.isin(word_ids, [int(word) for word in chosen.split("-")]))
    kept = kept[np.argsort(-found.response[kept], kind="stable")][:MOST_DRAWN]
    rgb = images.decode(small, "thumbnail").rgb
    scale = max(rgb.shape[:2]) / longest
    drawn = draw.keypoints(rgb, found.xy[kept], found.size[kept], found.angle[kept], scale)
    return images.encode_jpeg(drawn)


@_guard
def picture(request: Request) -> Response:
    """Answer with a picture of a collection, small enough, its keypoints drawn if asked."""
    opened = open_index(request.path_params["name"])
    image_id = int(request.path_params["image_id"])
    path = opened.picture_path(image_id)
    data = images.thumbnail(path.read_bytes(), path.name, _side(request))
    if "keypoints" in request.query_params:
        found, word_ids = opened.keypoints(image_id), opened.words(image_id).word_ids
        entry = opened.images[image_id]
        data = _with_keypoints(data, max(entry.width, entry.height), found, word_ids, request)
    return _jpeg(data, private=False)


@_guard
def file(request: Request) -> Response:
    """Answer with the file of a picture of a collection, to be saved."""
    opened = open_index(request.path_params["name"])
    path = opened.picture_path(int(request.path_params["image_id"]))
    data = path.read_bytes()
    images.probe(data, path.name)  # whatever lies there now, only a picture leaves the server
    shown = opened.images[int(request.path_params["image_id"])].shown.rpartition("/")[2]
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(shown)}",
        "cache-control": "private, max-age=600",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


def _query(data: bytes, name: str, link: Link, request: Request) -> Response:
    """Answer with a query picture that is not of a collection, its keypoints drawn if asked."""
    small = images.thumbnail(data, name, _side(request))
    if "keypoints" not in request.query_params:
        return _jpeg(small, private=True)
    query = describe(open_index(request.query_params.get("collection", "")), link)
    longest = max(query.image.gray.shape)
    drawn = _with_keypoints(small, longest, query.features, query.words.word_ids, request)
    return _jpeg(drawn, private=True)


@_guard
def upload(request: Request) -> Response:
    """Answer with an uploaded picture, to whoever knows its token."""
    token = request.path_params["token"]
    found = STORE.get(token)
    if found is None:
        raise ValueError(tr("there is no such upload"))
    return _query(found.data, found.name, Link(upload=token), request)


@_guard
def sample(request: Request) -> Response:
    """Answer with one of the demo's sample queries."""
    place = int(request.path_params["place"])
    path = samples.path(place)
    return _query(path.read_bytes(), path.name, Link(sample=place), request)


@_guard
def word(request: Request) -> Response:
    """Answer with a word's tile."""
    opened = open_index(request.path_params["name"])
    tile = draw.word_tile(opened, int(request.path_params["word"]))
    return _jpeg(images.encode_jpeg(tile, 80), private=False)


@_guard
def points(request: Request) -> Response:
    """Answer with the keypoints of a query picture, for the viewer."""
    opened = open_index(request.path_params["name"])
    values = request.query_params
    chosen = keypoints.params(opened, float(values["threshold"]), int(values["octaves"]))
    query = Link.read(values).query()
    if not query.has_query:
        raise ValueError(tr("there is no such picture"))
    data = keypoints.pack(opened, describe(opened, query, chosen), values["colour"])
    return _tagged(data, "application/octet-stream", private=True)


@_guard
def why(request: Request) -> Response:
    """Answer with a drawing of the page Why: heat on the query, or the result laid on it."""
    opened, values = open_index(request.path_params["name"]), request.query_params
    here = View.read(values)
    if not here.link.has_query:
        raise ValueError(tr("there is no such picture"))
    found = asked.ask(opened, here)
    if found is None:
        raise ValueError(tr("there is no such result"))
    drawings = {"heat": overlays.heat, "warp": overlays.warp, "covered": network.covered}
    draw_it = drawings[request.path_params["what"]]
    return _jpeg(images.encode_jpeg(draw_it(found)), private=True)


@_guard
def surf(request: Request) -> Response:
    """Answer with a picture of the page Step by step, or with its keypoints."""
    opened, values = open_index(request.path_params["name"]), request.query_params
    here = surf_view.View.read(values)
    if not here.link.has_query:
        raise ValueError(tr("there is no such picture"))
    data, kind = surf_pictures.make(opened, here, request.path_params["what"])
    return _tagged(data, kind, private=True)


def health(request: Request) -> Response:
    """Say that the server answers, and how many collections there are."""
    return JSONResponse({"status": "ok", "collections": len(index.list_indexes())})


def all_routes() -> list[BaseRoute]:
    """Return the routes, under the server's base path."""
    start = urls.prefix()
    return [
        Route(f"{start}/pictures/{{name}}/{{image_id:int}}", picture),
        Route(f"{start}/pictures/{{name}}/{{image_id:int}}/file", file),
        Route(f"{start}/uploads/{{token}}", upload),
        Route(f"{start}/samples/{{place:int}}", sample),
        Route(f"{start}/words/{{name}}/{{word:int}}", word),
        Route(f"{start}/keypoints/{{name}}", points),
        Route(f"{start}/why/{{name}}/{{what}}", why),
        Route(f"{start}/surf/{{name}}/{{what}}", surf),
        Route(f"{start}/health", health),
    ]


def all_middleware() -> list[Middleware]:
    """Return what every request passes through."""
    return [Middleware(SecurityHeaders)]
