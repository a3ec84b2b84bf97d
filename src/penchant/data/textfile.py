"""Text files in blocks of whole lines, plain or gzipped, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress

__all__ = ["LINE_LIMIT", "SHOWN", "blocks", "cut", "head", "lines_at", "opened"]

LINE_LIMIT = 16 * 1024 * 1024
"Bytes in one line; a longer one stops the reading."

SHOWN = 200
"Characters of a rejected row that are kept."

_BLOCK = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_WIDE = {b"\xff\xfe": "UTF-16 (or UTF-32)", b"\xfe\xff": "UTF-16"}


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file, gzipped or not; yield the stream of its content and the file itself, whose ``tell`` is the progress.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv.gz")
    ...     _ = path.write_bytes(gzip.compress(b"user,item"))
    ...     with opened(path) as (content, file):
    ...         content.read(), file.tell() == path.stat().st_size
    (b'user,item', True)

    Raises:
        InputError: the file ends in the middle of its gzip stream, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if path.suffix == ".gz" and not zipped:
                raise InputError(
                    "not a gzip file", got=path.name, allowed="a file that gzip wrote", then="drop the .gz"
                )
            if not zipped:
                yield file, file
                return
            with gzip.open(file) as content:
                yield cast("BinaryIO", content), file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            "the gzip file is damaged or cut short", got=f"{path.name}: {error}", then="copy or download it again"
        ) from error
    except OSError as error:
        raise InputError("the file cannot be read", got=f"{path}: {error.strerror or error}") from error


def head(path: Path, size: int = 65536) -> bytes:
    """Return the first bytes of a text file without a byte order mark, after checking that it is one.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv")
    ...     _ = path.write_text("user,item", encoding="utf-8-sig")
    ...     head(path)
    b'user,item'

    Raises:
        EmptyData: the file is empty.
        InputError: it is UTF-16 or not text at all.
    """
    with opened(path) as (stream, _):
        start = stream.read(size)
    if not start.strip():
        raise EmptyData("the file is empty", got=path.name, then="check how it was exported")
    wide = _WIDE.get(start[:2])
    if wide or b"\0" in start:
        raise InputError(
            "the file is not UTF-8 text",
            got=f"{path.name}: {wide or 'binary data, or UTF-16 without a mark'}",
            allowed="UTF-8",
            then=f"convert it: iconv -f UTF-16 -t UTF-8 {path.name}",
        )
    return start.removeprefix(_BOM)


def blocks(path: Path, limit: int = LINE_LIMIT, progress: Progress = SILENT) -> Iterator[tuple[int, bytes, bool]]:
    r"""Yield the number of its first line (from 1), whole lines, and whether they are the last, block after block.

    Memory stays at a few times the smaller of 8 MiB and ``limit``, however large the file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv")
    ...     _ = path.write_bytes(b"user,item\nann,tea\nbob,milk")
    ...     list(blocks(path))
    [(1, b'user,item\nann,tea\n', False), (3, b'bob,milk', True)]

    Raises:
        InputError: a line is longer than ``limit`` bytes.
    """
    size = min(_BLOCK, limit)
    with opened(path) as (stream, file), progress.step(f"reading {path.name}", path.stat().st_size, "B") as advance:
        line, carry, done = 1, stream.read(len(_BOM)).removeprefix(_BOM), 0
        while chunk := stream.read(size):
            start, end = chunk.find(b"\n"), chunk.rfind(b"\n")
            if len(carry) + (start if start >= 0 else len(chunk)) > limit:
                raise _too_long(path, line, limit)
            position = file.tell()
            advance(position - done)
            done = position
            if start < 0:
                carry += chunk
                continue
            block = carry + chunk[: end + 1]
            carry = chunk[end + 1 :]
            yield line, block, False
            line += block.count(b"\n")
        yield line, carry, True


def lines_at(path: Path, wanted: Iterable[int], limit: int = LINE_LIMIT) -> dict[int, str]:
    r"""Return the text of the given lines (numbers from 1), cut to what a report shows.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv")
    ...     _ = path.write_bytes(b"user,item\nann,tea\nbob,milk\n")
    ...     lines_at(path, [3])
    {3: 'bob,milk'}
    """
    asked = sorted(set(wanted))
    found: dict[int, str] = {}
    place = 0
    for first, block, last in blocks(path, limit):
        if place == len(asked):
            break
        after = first + block.count(b"\n") + last
        if asked[place] >= after:
            continue
        lines = block.split(b"\n")
        while place < len(asked) and asked[place] < after:
            found[asked[place]] = cut(lines[asked[place] - first])
            place += 1
    return found


def cut(line: bytes) -> str:
    r"""Return a line as text for a report: bytes that are not UTF-8 written out, long ones cut.

    >>> cut(b"caf\xe9,tea\r")
    'caf\\xe9,tea'
    """
    return line[: 4 * SHOWN].rstrip(b"\r\n").decode("utf-8", "backslashreplace")[:SHOWN]


def _too_long(path: Path, line: int, limit: int) -> InputError:
    return InputError(
        f"line {line:,} is too long",
        got=f"more than {limit:,} bytes in {path.name}",
        allowed=f"{limit:,} bytes in a line",
        then="check that the file has line ends",
    )
