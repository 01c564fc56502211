"""Unpack an archive without trusting it: nothing outside its folder, and never without end."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from engine.errors import DownloadError

Progress: TypeAlias = Callable[[str, int, int | None], None]

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold.

    Attributes
    ----------
    n_files : int
        Entries of any kind.
    n_bytes : int
        Unpacked size in bytes.
    """

    n_files: int
    n_bytes: int


class _Counted:
    """A gzip file that counts what it was asked for and refuses to go on without end."""

    def __init__(self, file: gzip.GzipFile, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if size >= 0 else _CHUNK)
        self._left -= len(data)
        if self._left < 0:
            raise DownloadError("it unpacks to more than the data set's size")
        return data


def unpack(
    archive: Path, folder: Path, suffix: str, limits: Limits, progress: Progress | None
) -> None:
    """Unpack the files of one kind into one flat folder, reading the archive to its very end.

    Parameters
    ----------
    archive : Path
        A .tgz file. It is deleted where it turns out to be damaged, so that it is fetched anew.
    folder : Path
        An empty folder.
    suffix : str
        Files with other endings, hidden ones, links and devices are left out.
    limits : Limits
        What the archive may hold at most.
    progress : callable or None

    Raises
    ------
    DownloadError
        If the archive is damaged (gzip's own checksum included), too large, or holds a member
        that would leave the folder.
    """
    total = archive.stat().st_size
    try:
        with archive.open("rb") as raw, gzip.GzipFile(fileobj=raw) as unzipped:
            # Room for tar's own headers and padding, at most 1.5 KiB a member.
            counted = _Counted(unzipped, limits.n_bytes + 2048 * limits.n_files)
            with tarfile.open(fileobj=counted, mode="r|") as tar:  # type: ignore[call-overload]
                _unpack_members(tar, folder, suffix, limits)
                if progress is not None:
                    progress(f"Unpacking {archive.name}", raw.tell(), total)
            while counted.read(_CHUNK):  # gzip checks its CRC at the end only
                pass
        if progress is not None:
            progress(f"Unpacking {archive.name}", total, total)
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, DownloadError) as error:
        archive.unlink(missing_ok=True)
        raise DownloadError(
            f"the archive {archive.name} cannot be used: {error}. It was deleted; run the same "
            "command again to fetch it anew."
        ) from error


def _unpack_members(tar: tarfile.TarFile, folder: Path, suffix: str, limits: Limits) -> None:
    seen: set[str] = set()
    for count, member in enumerate(tar):
        if count >= limits.n_files:
            raise DownloadError(f"it holds more than {limits.n_files} files")
        tarfile.data_filter(member, str(folder))  # refuses what would leave the folder
        name = member.name.rpartition("/")[2]
        if not member.isreg() or name.startswith(".") or not name.lower().endswith(suffix):
            continue
        if name in seen:
            raise DownloadError(f"it holds {name!r} twice")
        seen.add(name)
        source = tar.extractfile(member)
        if source is not None:
            with source, (folder / name).open("xb") as target:
                shutil.copyfileobj(source, target, _CHUNK)
    if not seen:
        raise DownloadError(f"it holds no {suffix} files")
