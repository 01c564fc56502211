"""Pictures under names that somebody hostile, or merely unlucky, gave them.

From the project's folder: python tests/torture/hostile_names.py --n 500 --seed 0

A folder is filled with such names, with links, loops, pipes and sockets; an index is built of it by
command and read by commands, the app's addresses and its pages. Each picture must be listed once,
or left out with a reason; nothing of a name may become a path, a formula, markup or a move of the
terminal; nothing beyond the folder may be read.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import re
import socket
import sys
import tempfile
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np
from PIL import Image as Pillow

from tests.golden.make_index import discs
from tests.torture.children import told

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a;=1+1", 'a",=1+1', "'=1")
NAMES: tuple[bytes, ...] = tuple(
    name.encode()
    for name in (
        *(f"{formula}.jpg" for formula in FORMULAS),
        *("<script>alert(1)<!--.jpg", "<img src=x onerror=alert(1)>.jpg", "&lt;b&gt;.jpg"),
        *("\"onload='alert(1)'.jpg", "![x](http:⁄⁄evil.example⁄x).jpg", "[a](javascript:b).jpg"),
        *("$\\frac{a}{b}$ `c` **d**.jpg", ":red[x] :material_delete.jpg", "{name}{0}%s%n.jpg"),
        *(
            "\u202egpj.exe.jpg",
            "a\u2066b\u2069.jpg",
            "\u200b.jpg",
            "\ufeff.jpg",
            "\x1b[2J\x1b[31m.jpg",
        ),
        *("a\nb.jpg", "a\rb.jpg", "\x07\x08\x7f.jpg", "\u0085\u2028\u2029.jpg", " .jpg", "a .jpg"),
        *("..jpg.jpg", "...jpg", "..\\..\\a.jpg", "C:\\a.jpg", "~.jpg", "-rf.jpg", "--help.jpg"),
        *("CON.jpg", "nul.jpg", "A.jpg", "a.jpg", "a.JPG", "Ä.jpg", "ä.jpg", "a\u0308.jpg"),
        *("ß.jpg", "ſ.jpg", "İ.jpg", "i\u0307.jpg", "a.jpg?x=1#y", "%2e%2e%2fa.jpg", "a%00.jpg"),
        *(
            "🏛️👨‍👩‍👧.jpg",
            "\U000e0041.jpg",
            "z\u0300" * 40 + ".jpg",
            "x" * 251 + ".jpg",
            "ü" * 125 + ".jpg",
        ),
    )
)
NO_TEXT = (
    b"\xff\xfe.jpg",
    b"caf\xe9.jpg",
    b"\xed\xa0\x80.jpg",
    b"\xc0\xae\xc0\xae.jpg",
    b"x" * 255,
)
PIECES = tuple(b"<>&\"'=+-@;,|`$(){}[]*#%!?:~ \\\t\n\r\x1b\x07\x7f") + tuple(b"ab.Z09")


def random_name(random: np.random.Generator) -> bytes:
    """Return a name of hostile pieces, bytes and letters, up to 255 bytes."""
    length = (
        int(random.integers(1, 30)) if random.random() < 0.8 else int(random.integers(200, 252))
    )
    kind, made = random.random(), b""
    while len(made) < length:
        if kind < 0.5:
            made += bytes([PIECES[int(random.integers(len(PIECES)))]])
        elif kind < 0.8:
            letter = chr(
                int(random.choice([0x20, 0x300, 0x600, 0x2000, 0x1F600]) + random.integers(96))
            )
            made += letter.encode()
        else:
            made += random.bytes(1)
    name = made[:251].replace(b"/", b"_").replace(b"\0", b"_").lstrip(b".") or b"_"
    return name + b".jpg"


def fill(folder: Path, n: int, seed: int) -> tuple[set[str], set[str]]:
    """Fill a folder; returns the pictures that must be listed, and what must be left out."""
    random = np.random.default_rng(seed)
    names = [*NAMES, *NO_TEXT, *(random_name(random) for _ in range(n))]
    base, wanted, out = os.fsencode(folder), set(), set()
    for k, name in enumerate(dict.fromkeys(names)):
        below = b"" if k % 3 else b"_..%d" % (k % 7) if k % 2 else b"<i>\xff%d" % (k % 5)
        shown = b"_" + name if name.startswith(b".") else name  # hidden files are left out
        path = below + b"/" + shown if below else shown
        Path(os.fsdecode(base + b"/" + path)).parent.mkdir(exist_ok=True)
        broken = k >= len(NAMES) and random.random() < 0.2
        _draw(base + b"/" + path, k, broken)
        (out if broken else wanted).add(os.fsdecode(path))
    return wanted, out | _odd_files(folder)


def _draw(path: bytes, k: int, broken: bool) -> None:
    buffer = io.BytesIO()
    Pillow.fromarray(discs(k % 50)[: 90 + k % 13]).save(buffer, "JPEG", quality=60 + k % 30)
    data = buffer.getvalue()
    with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(data[: len(data) // 3] if broken else data)


def _odd_files(folder: Path) -> set[str]:
    """Add links, loops, pipes, sockets and a locked folder; returns what must be told of."""
    secret = folder.parent / "secret"
    secret.mkdir()
    _draw(os.fsencode(secret / "secret.jpg"), 1, False)
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(secret)
    (folder / "one.jpg").symlink_to("two.jpg")
    (folder / "two.jpg").symlink_to("one.jpg")
    (folder / "self.jpg").symlink_to("self.jpg")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    (folder / ".hidden.jpg").write_bytes((secret / "secret.jpg").read_bytes())
    with socket.socket(socket.AF_UNIX) as unix, contextlib.chdir(folder):
        unix.bind("socket.jpg")
    odd = {"one.jpg", "two.jpg", "self.jpg", "gone.jpg", "zero.jpg", "pipe.jpg", "socket.jpg"}
    if os.geteuid() != 0:  # who may do everything can read it
        (folder / "locked").mkdir(mode=0)
        odd.add("locked")
    return odd


class _Trials:
    """Counts what is tried, and keeps what goes wrong."""

    def __init__(self) -> None:
        self.n, self.faults = 0, list[str]()

    def check(self, what: str, well: bool) -> None:
        self.n += 1
        if not well:
            self.faults.append(what)

    @contextlib.contextmanager
    def trying(self, what: str):  # type: ignore[no-untyped-def]
        self.n += 1
        try:
            yield
        except Exception as error:
            self.faults.append(f"{what}: {told(error)}")


def _command(*argv: str) -> tuple[int, str, str]:
    from engine import cli

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(argv)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def _moves(text: str) -> bool:
    """Tell whether a text could move a terminal, turn its lines or hide a part of it."""
    return any(
        c not in "\n\r" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text
    ) or bool(re.search(r"\r(?!.*\d+%|$)", text, re.MULTILINE) and "\x1b" in text)


def commands(
    trials: _Trials, wanted: set[str], out: set[str], place: Path, n_asked: int = 40
) -> None:
    """Read the index by commands."""
    _, listed, _ = _command("info", "hostile", "--json")
    skipped = [one["path"] for one in json.loads(listed)["skipped"]]
    trials.check("left out: each once", sorted(skipped) == sorted(out))
    reasons = [one["reason"] for one in json.loads(listed)["skipped"]]
    trials.check("left out: with a reason", all(reasons))
    for argv in (["info", "hostile"], ["list"], ["verify", "hostile"]):
        code, told_out, told_err = _command(*argv)
        trials.check(f"{argv}: {code}", code == 0)
        trials.check(f"{argv} moves the terminal", not _moves(told_out + told_err))
    for path in sorted(wanted)[:: max(1, len(wanted) // n_asked)]:
        with trials.trying(f"query {path!r}"):
            code, told_out, told_err = _command("query", "hostile", "--", path)
            trials.check(f"query {path!r}: {code} {told_err}", code == 0)
            trials.check(f"query {path!r} moves the terminal", not _moves(told_out + told_err))
        with trials.trying(f"explain {path!r}"):
            page = place / "page.html"
            code, _, told_err = _command("explain", "hostile", "--html", str(page), "--", path)
            trials.check(f"explain {path!r}: {code} {told_err}", code == 0)
            trials.check(f"explain {path!r} runs something", not _runs(page.read_text("utf-8")))


def _runs(page: str) -> bool:
    """Tell whether a page holds what could run, or fetches anything; it must be well-formed."""
    for element in ET.fromstring(page.partition("?>")[2] or page).iter():
        tag = element.tag.rpartition("}")[2].lower()
        if tag in ("script", "iframe", "object", "embed", "base", "form"):
            return True
        for key, value in element.attrib.items():
            if key.lower().startswith("on"):
                return True
            if key in ("src", "href") and not value.startswith(("data:image/", "#")):
                return True
    return False


def addresses(trials: _Trials, n_images: int) -> None:
    """Ask the app's addresses for pictures and files."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from ui import routes

    app = Starlette(routes=routes.all_routes(), middleware=routes.all_middleware())
    with TestClient(app, base_url="http://localhost") as client:
        for i in range(n_images):
            for end in ("", "/file"):
                with trials.trying(f"picture {i}{end}"):
                    answer = client.get(f"/pictures/hostile/{i}{end}")
                    trials.check(f"picture {i}{end}: {answer.text[:80]}", answer.status_code == 200)
                    sent = answer.headers.get("content-disposition", "")
                    trials.check(f"picture {i}: header {sent}", sent.isascii() and "\n" not in sent)
        for name in ("..", "%2e%2e", "..%2fhostile", "hostile%00", "<b>", "hostile%0a", "\u202e"):
            for address in (f"/pictures/{name}/0", f"/words/{name}/0", f"/uploads/{name}"):
                with trials.trying(address):
                    answer = client.get(address)
                    trials.check(f"{address}: {answer.status_code}", answer.status_code == 404)


def pages(trials: _Trials, n_images: int) -> None:
    """Open pages that show names, and a ranking as csv."""
    from engine import index, pipeline
    from tests.pages_under_test import visit
    from ui import results, words

    opened = index.open_index("hostile")
    for page, asked in (("search", "image-0"), ("why", f"image-{n_images - 1}"), ("inspect", "")):
        with trials.trying(f"page {page}"):
            at = visit(page, collection="hostile", **({"query": asked} if asked else {}))
            trials.check(f"page {page}: {[e.value for e in at.exception]}", not at.exception)
            for shown in at.markdown:
                loose = re.search(r"(?<!\\)<(script|img)", str(shown.value))
                trials.check(f"page {page}: {shown.value!r:.200}", not loose)
    with trials.trying("csv"):
        answer = pipeline.search_stored(opened, 0, "distance", None)
        found = [
            results.Result(int(i), float(s), None, ())
            for i, s in zip(answer.ranking.image_ids, answer.ranking.scores)
        ]
        table = results.as_csv(opened, found)
        rows = list(csv.reader(io.StringIO(table)))
        trials.check("csv: a row a picture", len(rows) == n_images)
        for row in rows[1:]:
            trials.check(f"csv: {row}", row[1][:1] not in ("=", "+", "-", "@", "\t", "\r"))
        for cell in re.split("[;\\n]", table):
            trials.check(f"csv by semicolons: {cell}", cell[:1] not in ("=", "+", "-", "@"))
    trials.check("plain", "<" not in re.sub(r"\\<", "", words.plain("<b>")))


def run(n: int, seed: int, is_short: bool = False) -> int:
    """Build and read one folder; returns how many faults there were."""
    trials = _Trials()
    with tempfile.TemporaryDirectory() as there:
        place = Path(there)
        os.environ["VISWORD_ARTIFACTS"] = str(place / "artifacts")
        folder = place / "p\u202e<b>'&"
        folder.mkdir()
        wanted, out = fill(folder, n, seed)
        argv = ("build", str(folder), "--name", "hostile", "--words", "8", "--samples", "3000")
        code, told_out, told_err = _command(*argv, "--max-side", "100", "--workers", "1")
        trials.check(f"build: {code} {told_err[-300:]}", code == 0)
        trials.check("build moves the terminal", not _moves(told_out))
        if code == 0:
            _, listed, _ = _command("query", "hostile", "--json", "-k", "100000", "--", min(wanted))
            answer = json.loads(listed)
            paths = [r["image"] for r in answer["results"]] + answer["left_out"]
            both = sorted(wanted.symmetric_difference(paths))
            trials.check(f"listed: each once, but {both}", sorted(paths) == sorted(wanted))
            trials.check("listed: nothing from elsewhere", not any("secret" in p for p in paths))
            commands(trials, wanted, out, place, 5 if is_short else 40)
            addresses(trials, len(wanted))
            if not is_short:
                pages(trials, len(wanted))
        if (folder / "locked").exists():
            (folder / "locked").chmod(0o700)
    print(*trials.faults, sep="\n", end="\n" * bool(trials.faults))
    n_names, n_faulty = len(wanted) + len(out), len(trials.faults)
    print(f"{trials.n} trials with {n_names} names, {n_faulty} faults; nothing was lost")
    return n_faulty


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="random names besides the fixed (200)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    return 1 if run(args.n, args.seed) else 0


if __name__ == "__main__":
    raise SystemExit(main())
