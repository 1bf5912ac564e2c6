"""A CRM's export and its mapping → checked records, one row after another; every row is read or rejected with a reason."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from features.cells import DecimalMark
from features.columns import BadCell, Conventions, learn_conventions, readers
from features.mapping import FILE_ORDER, Mapping, MissingColumns
from features.moments import DateOrder
from features.records import CUSTOM_FIELDS_LIMIT, KNOWN_FIELDS, Lead, LeadEvent, LossNote, Spend
from features.rows import BadRow, Cell, RefusedFile, Row, Table
from features.tables import open_table
