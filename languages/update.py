"""Bring the catalogues up to date with the texts in the code: python languages/update.py

New texts are added without a translation, texts that are gone are dropped, and what is translated
is compiled. It ends with how many texts wait for a translator, and fails while there are any.
"""

import ast
import datetime
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
_NO_DATE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROOMS = ("engine", "ui", "pages")
N_TEXTS = {"tr": 1, "trn": 2, "mark": 1}


def texts(code: str) -> Iterator[str | tuple[str, ...]]:
    """Yield the texts of a file, in their order: literals alone, not `tr(TERMS["idf"])`."""
    calls = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in N_TEXTS
    ]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        given = call.args[: N_TEXTS[ast.unparse(call.func)]]
        told = [arg.value for arg in given if isinstance(arg, ast.Constant)]
        found = tuple(text for text in told if isinstance(text, str) and text)
        if found and len(found) == len(given):
            yield found if len(found) > 1 else found[0]


def extracted() -> Catalog:
    """Return all texts of the code, without translations."""
    catalogue = Catalog()
    for room in ROOMS:
        paths = (HERE.parent / room).rglob("*.py")
        for path in sorted(paths, key=lambda path: path.as_posix()):
            file = path.relative_to(HERE.parent).as_posix()
            for message in texts(path.read_text(encoding="utf-8")):
                catalogue.add(message, locations=[(file, None)])
    return catalogue


def read(path: Path) -> Catalog:
    """Return a catalogue; an empty one where there is none yet."""
    code = path.parents[1].name
    if not path.exists():
        return Catalog(locale=code, domain="visword", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=code, domain="visword")


def waiting(catalogue: Catalog) -> list[str]:
    """Return the texts that have no translation, or one that was only guessed."""
    found = []
    for message in catalogue:
        told = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(told)):
            found.append(message.id[0] if isinstance(message.id, tuple) else message.id)
    return found


def written(catalogue: Catalog) -> bytes:
    """Return a catalogue as its file holds it: in the order of the code, without dates."""
    file = io.BytesIO()
    write_po(file, catalogue, width=100, omit_header=False, ignore_obsolete=True)
    _, _, texts = file.getvalue().partition(b"\n\n")
    head = '"{}\\n"\n'
    fields = (
        f"Language: {catalogue.locale}",
        f"Plural-Forms: {catalogue.plural_forms}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    kept = "".join(head.format(field) for field in fields)
    return f'msgid ""\nmsgstr ""\n{kept}\n'.encode() + texts


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as gettext reads it; the same whenever it is compiled."""
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    """Update all catalogues; return how many texts have no translation."""
    found, n_waiting = extracted(), 0
    for path in sorted(HERE.glob("*/LC_MESSAGES/visword.po")):
        catalogue = read(path)
        catalogue.update(found, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.obsolete.clear()
        path.write_bytes(written(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        missing = waiting(catalogue)
        n_waiting += len(missing)
        for text in missing:
            sys.stdout.write(f"{path.parents[1].name}: no translation of {text!r}\n")
    return n_waiting


if __name__ == "__main__":
    sys.exit(min(1, main()))
