"""Bring the catalogues up to date with the texts in the code: python languages/update.py

New texts are added without a translation, texts that are gone are dropped, and what is translated
is compiled. It ends with how many texts wait for a translator, and fails while there are any.
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
ROOMS = ("engine", "ui", "pages")
KEYWORDS = {"tr": None, "trn": (1, 2), "mark": None}


def extracted() -> Catalog:
    """Return all texts of the code, without translations."""
    catalogue = Catalog()
    for room in ROOMS:
        found = extract_from_dir(HERE.parent / room, [("**.py", "python")], keywords=KEYWORDS)
        for file, _, message, _, _ in sorted(found, key=lambda each: (each[0], each[1])):
            catalogue.add(message, locations=[(f"{room}/{file}", None)])
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
    """Return a catalogue as gettext reads it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    """Update all catalogues; return how many texts have no translation."""
    texts, n_waiting = extracted(), 0
    for path in sorted(HERE.glob("*/LC_MESSAGES/visword.po")):
        catalogue = read(path)
        catalogue.update(texts, no_fuzzy_matching=True, update_header_comment=False)
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
