"""Tell from its leading bytes what a file is, whatever it is called."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

SUFFIXES: Mapping[str, str] = {
    "jpeg": "jpg", "png": "png", "gif": "gif", "webp": "webp", "bmp": "bmp", "tiff": "tif", "avif": "avif",
    "heic": "heic", "jp2": "jp2", "jxl": "jxl", "ico": "ico", "ppm": "ppm", "pgm": "pgm", "pbm": "pbm", "pam": "pam",
    "pfm": "pfm", "psd": "psd", "dds": "dds", "qoi": "qoi",
}  # fmt: skip
"""Picture format -> the one suffix (without dot) that its objects carry."""

_NAMES_OF_PICTURES = {*SUFFIXES.values(), "jpeg", "jpe", "jfif", "tiff", "heif", "dib", "pnm", "j2k", "jpx", "cur"}

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\xff\x4f\xff\x51", "jp2"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"8BPS", "psd"),
    (0, b"DDS ", "dds"),
    (0, b"qoif", "qoi"),
)

_BRANDS: Mapping[bytes, str] = {
    b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"heim": "heic", b"heis": "heic",
    b"hevc": "heic", b"hevx": "heic", b"mif1": "heic", b"msf1": "heic",
}  # fmt: skip

_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}

_NETPBM: Mapping[bytes, str] = {
    b"1": "pbm", b"4": "pbm", b"2": "pgm", b"5": "pgm", b"3": "ppm", b"6": "ppm", b"7": "pam", b"F": "pfm", b"f": "pfm",
}  # fmt: skip

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"PK\x05\x06", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!", "RAR"),
    (0, b"%PDF", "PDF"),
    (0, b"version https://git-lfs", "Git LFS pointer, not the file"),
    (0, b"SQLite format 3", "SQLite"),
    (4, b"ftyp", "video"),
    (0, b"\x1aE\xdf\xa3", "video"),
    (8, b"AVI ", "video"),
    (257, b"ustar", "tar"),
)


def sniff(head: bytes) -> str:
    """Return the format of a picture from its first 64 bytes or more, such as "jpeg"; "" when it is none."""
    for place, magic, name in _MAGIC:
        if head[place : place + len(magic)] == magic and (name != "webp" or head[:4] == b"RIFF"):
            return name
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if head[:4] in (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00") and 0 < int.from_bytes(head[4:6], "little") < 256:
        return "ico" if head[9:10] == b"\x00" else ""
    if re.match(rb"P[1-7Ff][ \t\r\n#]", head):
        return _NETPBM[head[1:2]]
    return ""


def what_is(head: bytes) -> str:
    """Name what a file is that is no picture, for a person: "HTML", "ZIP", "empty file"."""
    if not head:
        return "empty file"
    if not head.strip(b"\x00"):
        return "nothing but zero bytes"
    for place, magic, name in _OTHERS:
        if head[place : place + len(magic)] == magic:
            return name
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "HTML"
    if start.startswith(b"<svg") or b"<svg" in start[:512]:
        return "SVG"
    if start.startswith(b"<?xml") or start.startswith(b"<"):
        return "XML"
    if start[:1] in (b"{", b"["):
        return "JSON"
    return "text" if _is_text(head) else "unknown content"


def claims_picture(name: str) -> bool:
    """Tell whether a file's name says that it is a picture."""
    return PurePosixPath(name).suffix.lower().lstrip(".") in _NAMES_OF_PICTURES


def _brand(head: bytes) -> str:
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, min(size, len(head)), 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    return "avif" if "avif" in known else (known or [""])[0]


def _is_text(head: bytes) -> bool:
    try:
        text = head[:512].decode("utf-8", "strict" if len(head) < 512 else "ignore")
    except UnicodeDecodeError:
        return False
    return all(sign.isprintable() or sign in "\t\r\n\f" for sign in text)
