"""What the files of a zip are called, whichever program wrote it.

A flag says that a name is UTF-8, and without it a name is in code page 437 (PKWARE APPNOTE, 4.4.4 and appendix D).
Programs get both wrong: macOS writes UTF-8 without the flag, others set it on names in another code page, for which
Python refuses the whole archive.
"""

import io
import struct
import zipfile
from pathlib import Path

UTF8 = 0x800
_LOCAL, _LOCAL_SIZE, _LOCAL_FLAGS = b"PK\x03\x04", 30, 6
_ENTRY, _ENTRY_SIZE, _ENTRY_FLAGS, _ENTRY_LENGTHS = b"PK\x01\x02", 46, 8, 28


def opened(path: Path) -> zipfile.ZipFile:
    """Open a zip; where the flag of a name is wrong, all names are read without it."""
    try:
        return zipfile.ZipFile(path)
    except UnicodeDecodeError:
        return zipfile.ZipFile(Unflagged(io.FileIO(path)))


def raw_name(info: zipfile.ZipInfo) -> str:
    """Return the path of a member as its writer meant it: UTF-8 where its bytes are that, else code page 437."""
    if info.flag_bits & UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


class Unflagged(io.BufferedReader):
    """A zip as if no name in it claimed to be UTF-8.

    zipfile reads the table of contents, and the head of a member, at one go each: that is how they are recognised.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes, the flags of heads taken out."""
        content = super().read(size)
        if size == _LOCAL_SIZE and content.startswith(_LOCAL):
            return _cleared(bytearray(content), _LOCAL_FLAGS)
        if not content.startswith(_ENTRY):
            return content
        table, at = bytearray(content), 0
        while table[at : at + 4] == _ENTRY and at + _ENTRY_SIZE <= len(table):
            _cleared(table, at + _ENTRY_FLAGS)
            at += _ENTRY_SIZE + sum(struct.unpack_from("<3H", table, at + _ENTRY_LENGTHS))
        return bytes(table)


def _cleared(head: bytearray, at: int) -> bytes:
    flags = int.from_bytes(head[at : at + 2], "little") & ~UTF8
    head[at : at + 2] = flags.to_bytes(2, "little")
    return bytes(head)
