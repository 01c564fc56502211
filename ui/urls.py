"""Addresses of pictures on this server, as `ui.routes` serves them."""

from base64 import b64encode
from typing import Protocol
from urllib.parse import quote, urlencode

import streamlit as st

from engine.index import Index
from engine.surf import SurfParams
from ui.link import Link


def prefix() -> str:
    """Return what stands before every address: server.baseUrlPath, if set."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


class Writes(Protocol):
    """A link, or what a page shows beyond it."""

    def write(self) -> dict[str, str]:
        """Return the parameters of its address."""


def page(name: str, to: Writes) -> str:
    """Return the address of a page of the app, by the name of its file."""
    path = f"{prefix()}/{'' if name == 'search' else name}"
    values = urlencode(to.write())
    return f"{path}?{values}" if values else path


def picture(opened: Index, image_id: int, side: int, **more: str | int) -> str:
    """Return the address of a picture of a collection, at most `side` pixels long."""
    values = urlencode({"side": side, "v": opened.stamp, **more})
    return f"{prefix()}/pictures/{quote(opened.name)}/{image_id}?{values}"


def file(opened: Index, image_id: int) -> str:
    """Return the address at which a picture of a collection is downloaded as it is."""
    values = urlencode({"v": opened.stamp})
    return f"{prefix()}/pictures/{quote(opened.name)}/{image_id}/file?{values}"


def query(opened: Index, link: Link, side: int, **more: str | int) -> str:
    """Return the address of the query picture of a link."""
    if link.image_id is not None:
        return picture(opened, link.image_id, side, **more)
    values = urlencode({"side": side, "collection": opened.name, **more})
    if link.sample is not None:
        return f"{prefix()}/samples/{link.sample}?{values}"
    return f"{prefix()}/uploads/{link.upload}?{values}"


def keypoints(opened: Index, link: Link, surf: SurfParams, colouring: str) -> str:
    """Return the address of the keypoints of the query picture of a link."""
    values = link.query().write() | {
        "threshold": f"{surf.hessian_threshold:g}",
        "octaves": str(surf.n_octaves),
        "colour": colouring,
        "v": opened.stamp,
    }
    return f"{prefix()}/keypoints/{quote(opened.name)}?{urlencode(values)}"


def word(opened: Index, word_id: int) -> str:
    """Return the address of a word's tile: its nearest patches."""
    return f"{prefix()}/words/{quote(opened.name)}/{word_id}?{urlencode({'v': opened.stamp})}"


def inlined(jpeg: bytes) -> str:
    """Return an address that holds a small picture itself: nothing is left to fetch."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
