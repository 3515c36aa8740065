"""Read a submission without trusting it: limits on names, kinds, number and size of members.

Nothing is ever extracted to disk, so no member can land anywhere. Sizes are counted while reading,
not taken from the archive's own headers, so a header that lies about a bomb does not help it.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from causalbench.errors import SubmissionError

__all__ = ["MAX_BYTES", "MAX_MEMBERS", "read_archive"]

MAX_BYTES = 256 * 2**20  # all members together, unpacked
MAX_MEMBERS = 1000
MAX_RATIO = 200  # JSON lines pack about tenfold; a bomb packs a thousandfold
_CHUNK = 2**20


def read_archive(path: str | Path) -> dict[str, bytes]:
    """Return every member of a zip file by name, held to the limits above.

    Args:
        path: the submission.

    Returns:
        Member name -> content.

    Raises:
        SubmissionError: no such file, not a zip file, a name that leaves the archive, a link, an
            encrypted or doubled member, or more than the limits allow.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path.name)
    except FileNotFoundError:
        msg = f"there is no submission '{path}'; give the file that `board pack` wrote."
        raise SubmissionError(msg) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        msg = f"'{path.name}' is not a readable zip file ({error}); pack the log again."
        raise SubmissionError(msg) from None
    except OSError as error:
        msg = f"'{path}' cannot be read: {error.strerror or error}."
        raise SubmissionError(msg) from None


def _read(archive: zipfile.ZipFile, shown: str) -> dict[str, bytes]:
    """Read all members in one pass."""
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MAX_MEMBERS:
        msg = f"'{shown}' holds {len(members)} files, more than {MAX_MEMBERS}; refused."
        raise SubmissionError(msg)
    contents: dict[str, bytes] = {}
    left = MAX_BYTES
    for info in members:
        _check_member(info, shown, contents)
        data = _read_member(archive, info, shown, left)
        left -= len(data)
        contents[info.filename] = data
    return contents


def _check_member(info: zipfile.ZipInfo, shown: str, seen: dict[str, bytes]) -> None:
    """Refuse a member by what its header says."""
    name = info.filename
    parts = PurePosixPath(name).parts
    if "\\" in name or ":" in name or name.startswith("/") or ".." in parts:
        msg = f"'{shown}' has the member '{name}', which points outside the archive; refused."
        raise SubmissionError(msg)
    if stat.S_ISLNK(info.external_attr >> 16):
        msg = f"'{shown}' has the member '{name}', which is a link; refused."
        raise SubmissionError(msg)
    if info.flag_bits & 1:
        msg = f"'{shown}' has the member '{name}', which is encrypted; refused."
        raise SubmissionError(msg)
    if name in seen:
        msg = f"'{shown}' has the member '{name}' twice; refused."
        raise SubmissionError(msg)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, left: int) -> bytes:
    """Read one member, at most ``left`` bytes of it."""
    data = bytearray()
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            data += chunk
            bomb = len(data) > _CHUNK and len(data) > MAX_RATIO * max(info.compress_size, 1)
            if bomb or len(data) > left:
                msg = (
                    f"'{shown}' unpacks to more than it may at '{info.filename}' (limits: "
                    f"{MAX_BYTES // 2**20} MiB in all, {MAX_RATIO} times the packed size); refused."
                )
                raise SubmissionError(msg)
    return bytes(data)
