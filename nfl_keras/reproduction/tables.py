"""The tables and figures that can be reproduced."""

from nfl_keras.errors import UserError
from nfl_keras.reproduction.nafl_tables import NAFL_TABLES
from nfl_keras.reproduction.nifl_tables import NIFL_TABLES
from nfl_keras.reproduction.table import Table

TABLES: dict[str, Table] = {table.name: table for table in (*NIFL_TABLES, *NAFL_TABLES)}


def find_table(name: str) -> Table:
    """Returns the table of a name.

    Raises:
        UserError: if there is none.
    """
    if name not in TABLES:
        raise UserError(f"there is no table {name!r}; choose one of {', '.join(TABLES)}.")
    return TABLES[name]
