"""A file from a CRM or a spreadsheet → its rows, whatever the file calls itself."""

from pathlib import Path

from features.delimited import open_delimited
from features.rows import BadRow, Cell, RefusedFile, Row, Table

__all__ = ["BadRow", "Cell", "RefusedFile", "Row", "Table", "open_table"]

_ZIP, _OLE, _PARQUET = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"


def open_table(
    path: Path | str, *, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> Table:
    """Opens CSV (also gzip), XLSX, XLS or Parquet; the content decides which, not the name.

    Raises RefusedFile where reading would be guessing.
    """
    path = Path(path)
    head = _first_bytes(path)
    if head.startswith((_ZIP, _OLE)):
        from features.workbooks import open_workbook  # an optional extra, needed for workbooks only

        return open_workbook(path, sheet=sheet)
    if head.startswith(_PARQUET):
        from features.parquet import open_parquet  # a heavy import, needed for Parquet only

        return open_parquet(path)
    return open_delimited(path, encoding=encoding, delimiter=delimiter)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except IsADirectoryError:
        raise RefusedFile(path, "this is a folder; name one file in it") from None
    except OSError as error:
        raise RefusedFile(path, f"cannot be opened: {error.strerror or error}") from None
    if not head:
        raise RefusedFile(path, "the file is empty; export it again with a header and rows")
    return head
