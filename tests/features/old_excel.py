"""Writes the smallest XLS and the shell of a locked workbook: nothing else here can, and people still send them."""

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xls(rows: list[list[str | float]]) -> bytes:
    """One sheet of texts and numbers, as Excel 5 to 2003 wrote it (BIFF8 in a compound file)."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0))
    for place, row in enumerate(rows):
        sheet += b"".join(_cell(place, column, value) for column, value in enumerate(row))
    sheet += _record(0x000A, b"")
    name = "Лист1".encode("utf-16-le")
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    head += _record(0x0042, struct.pack("<H", 1200))
    bound_length = 4 + 8 + len(name)
    start = len(head) + bound_length + 4
    head += _record(0x0085, struct.pack("<IBBBB", start, 0, 0, 5, 1) + name)
    head += _record(0x000A, b"")
    return compound({"Workbook": head + sheet})


def locked_workbook() -> bytes:
    """What Excel saves when asked for a password: the xlsx encrypted inside a compound file."""
    return compound({"EncryptionInfo": b"\x04\x00\x04\x00" + b"x" * 600, "EncryptedPackage": b"\x5a" * 5_000})


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _cell(row: int, column: int, value: str | float) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + text)
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file, version 3; streams are padded to 4,096 bytes, below which another table would be needed."""
    padded = {
        name: body.ljust(4_096, b"\0").ljust(-(-len(body) // SECTOR) * SECTOR, b"\0") for name, body in streams.items()
    }
    fat, sectors, starts = [FAT, END], b"", {}  # sector 0 is the table itself, sector 1 the directory
    for name, body in padded.items():
        starts[name], count = len(fat), len(body) // SECTOR
        fat += [*range(starts[name] + 1, starts[name] + count), END]
        sectors += body
    entries = [_entry("Root Entry", 5, END, 0, child=1)]
    for number, (name, body) in enumerate(padded.items(), start=1):
        entries.append(_entry(name, 2, starts[name], len(body), right=number + 1 if number < len(padded) else FREE))
    directory = b"".join(entries).ljust(SECTOR, b"\0")
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4_096, END, 0, END, 0)
    header += struct.pack("<I", 0) + b"\xff" * 4 * 108
    return header + table + directory + sectors


def _entry(name: str, kind: int, start: int, size: int, *, child: int = FREE, right: int = FREE) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1)
    return head + struct.pack("<III", FREE, right, child) + b"\0" * 36 + struct.pack("<IQ", start, size)
