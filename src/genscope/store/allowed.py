"""What a statement of the SQL console may be made of: an allow-list, since engines gain functions that read files or call services.

The statement is parsed (sqlglot), looked through, and written anew from what was understood, so that nothing that the parser
passed over reaches the engine. What is written has names of tables and subqueries that nobody could guess.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Final

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from genscope.query.filter import FilterError

# It would write what people ask into the log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

DIALECT: Final = "clickhouse"
MAX_LENGTH: Final = 20_000
#: Parts of expressions that may stand for names of the SELECT list elsewhere: a long one that is named often is a gigabyte.
MAX_SPELT: Final = 2_000

#: Functions that compute from their arguments alone, in lower case. None reads a table, a file, a setting, a dictionary or the
#: machine, waits, or takes the name of another function; nor compares all of one argument with all of another, which on long
#: ones takes hours that the engine does not look up from.
FUNCTIONS: Final = frozenset(resources.files("genscope.store").joinpath("functions.txt").read_text().split())
#: What an aggregate function may have behind its name.
_COMBINED: Final = re.compile(r"(if|array|distinct|ornull|ordefault|foreach|map|argmin|argmax|resample)+$")
_KEYWORDS: Final = """
all and anti any array as asc asof between by case cross cube date datetime datetime64 day decimal decimal128 decimal256
decimal32 decimal64 desc distinct else end enum16 enum8 escape except exists fill filter final first fixedstring from
full global group grouping having hour ilike in inner intersect interval is join last lateral left like limit
lowcardinality map minute month not nothing null nullable nulls offset on or order outer over partition preceding
prewhere qualify quarter range recursive replace right rollup rows second select semi sets some step string then totals
tuple unbounded union using week when where window with year
"""
#: Words that a parenthesis may follow without being a call.
KEYWORDS: Final = frozenset(_KEYWORDS.split())
_SELECT: Final = frozenset(
    {
        "with_",
        "with",
        "expressions",
        "distinct",
        "from_",
        "from",
        "joins",
        "laterals",
        "where",
        "prewhere",
        "group",
        "having",
        "qualify",
        "windows",
        "order",
        "limit",
        "offset",
        "limit_by",
        "kind",
        "hint",
    }
)
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\\\"`'(){}$@;]{1,200}")
#: What no part of a statement may be.
_FORBIDDEN: Final = (
    exp.Command,
    exp.Placeholder,
    exp.Parameter,
    exp.SessionParameter,
    exp.TableSample,
    exp.Final,
    exp.Into,
    exp.Values,
    exp.Lateral,
    exp.Unnest,
    exp.DDL,
    exp.DML,
)


class Refused(FilterError):
    """A statement that is not to be run; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement written anew; `tables` are those it reads, which it calls by their name and `mark`."""

    sql: str
    tables: frozenset[str]
    #: What the names of tables and subqueries end in.
    mark: str


def checked(text: str, tables: Collection[str], mark: str, hidden: Collection[str]) -> Checked:
    """Return a statement that only reads these tables.

    Names that are `hidden`, in lower case, may not stand for a column: the engine takes some for functions, `arrayMap(file, ...)`.

    Raises:
        Refused: it does anything else, or nothing that was understood.
    """
    if len(text) > MAX_LENGTH:
        raise Refused(f"a query may have {MAX_LENGTH:,} characters")
    try:
        return _checked(text, tables, mark, hidden)
    except SqlglotError as error:
        raise Refused(_told(error)) from None
    except RecursionError:
        raise Refused("this query is nested too deeply") from None


def _checked(text: str, tables: Collection[str], mark: str, hidden: Collection[str]) -> Checked:
    statements = [one for one in sqlglot.parse(text, dialect=DIALECT) if one is not None]
    if len(statements) != 1:
        raise Refused("one statement at a time" if statements else "write a query, such as SELECT count() FROM spans")
    (query,) = statements
    if not isinstance(query, exp.Query):
        raise Refused("only SELECT is allowed here")
    read: set[str] = set()
    names = {cte.alias for cte in query.find_all(exp.CTE) if isinstance(cte.this, exp.Query)}
    if taken := sorted(names & set(tables)):
        raise Refused(f"{taken[0]} is a table here: call the subquery something else")
    for node in list(query.walk()):
        _look_at(node)
        if isinstance(node, exp.Column) and node.name.lower() in hidden:
            raise Refused(f"{node.name} is a function that is not available here: call the column something else")
        if isinstance(node, exp.Table):
            _rename(node, tables, names, mark, read)
        elif isinstance(node, exp.CTE) and isinstance(node.this, exp.Query):
            node.args["alias"].set("this", exp.to_identifier(f"{node.alias}{mark}", quoted=True))
    spelt = 0
    for select in list(query.find_all(exp.Select)):
        spelt += _spell_out(select, MAX_SPELT - spelt)
    sql = query.sql(dialect=DIALECT, comments=False)
    _look_at_calls(sqlglot.tokenize(sql, dialect=DIALECT))
    return Checked(sql, frozenset(read), mark)


def _look_at(node: exp.Expr) -> None:
    if isinstance(node, _FORBIDDEN):
        raise Refused(f"{_called(node)} is not allowed here")
    if isinstance(node, exp.Select):
        for name, value in node.args.items():
            if value and name not in _SELECT:
                raise Refused(f"{name.strip('_').upper()} is not allowed here")
    if isinstance(node, exp.In) and _is_name(node):
        raise Refused(
            "after IN write a list in parentheses or a subquery; to look into an array write has(array, value)"
        )
    if isinstance(node, exp.Identifier) and not _NAME.fullmatch(node.this):
        raise Refused(f"{node.this!r} is no name that can be used here")


def _is_name(node: exp.In) -> bool:
    """Return whether what follows IN is a name, which the engine takes for a table, in parentheses too."""
    listed = node.expressions
    alone = listed[0].unnest() if len(listed) == 1 else node.args.get("field")
    return isinstance(alone, exp.Column | exp.Identifier | exp.Dot | exp.Table) or node.args.get("field") is not None


def _called(node: exp.Expr) -> str:
    return "{a parameter}" if isinstance(node, exp.Placeholder | exp.Parameter) else node.key.upper()


def _rename(node: exp.Table, tables: Collection[str], names: Collection[str], mark: str, read: set[str]) -> None:
    if not isinstance(node.this, exp.Identifier):
        raise Refused(f"functions cannot stand for a table here; tables are {', '.join(tables)}")
    if node.args.get("db") or node.args.get("catalog"):
        raise Refused(f"tables are {', '.join(tables)}, without a database before them")
    name = node.this.this
    if name not in names and name not in tables:
        raise Refused(f"there is no table {name!r}; tables are {', '.join(tables)}")
    if name in tables:
        read.add(name)
    if not node.alias:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    node.set("this", exp.to_identifier(f"{name}{mark}", quoted=True))


def _spell_out(select: exp.Select, most: int) -> int:
    """Put what a name of the SELECT list stands for in the place of the name: `sum(cost) AS cost ... ORDER BY cost` means the sum.

    The engine is told that a name is a column wherever there is one, which its tables here are written for.

    Returns:
        How many parts the statement has more.
    """
    named = {one.alias: one.this for one in select.expressions if isinstance(one, exp.Alias)}
    sizes = {name: sum(1 for _ in meant.walk()) for name, meant in named.items()}
    spelt = 0
    for clause in ("group", "having", "order", "limit_by"):
        part = select.args.get(clause)
        for column in list(part.find_all(exp.Column)) if isinstance(part, exp.Expr) else ():
            meant = None if column.table else named.get(column.name)
            if meant is None or column.find_ancestor(exp.AggFunc, exp.Query) is not select:
                continue
            spelt += sizes[column.name]
            if spelt > most:
                raise Refused(f"{column.name} stands for too much too often: name it in a subquery")
            column.replace(exp.paren(meant.copy()))
    return spelt


def _look_at_calls(tokens: list[Token]) -> None:
    for token, following in pairwise(tokens):
        if token.text.upper() in ("APPLY", "COLUMNS") and token.token_type is not TokenType.STRING:
            raise Refused(f"{token.text.upper()} is not allowed here: name the columns")
        if following.token_type is TokenType.L_PAREN and (token.text[-1:].isalnum() or token.text[-1:] == "_"):
            name = token.text.lower()
            if token.token_type in (TokenType.NUMBER, TokenType.STRING):
                continue
            keyword = token.token_type is not TokenType.IDENTIFIER and all(word in KEYWORDS for word in name.split())
            if not allows(name) and not keyword:
                raise Refused(f"the function {token.text} is not available here")


def allows(function: str) -> bool:
    """Return whether a function may be called."""
    name = function.lower()
    return name in FUNCTIONS or any(name[: found.start()] in FUNCTIONS for found in _suffixes(name))


def _suffixes(name: str) -> list[re.Match[str]]:
    return [found for begin in range(1, len(name)) if (found := _COMBINED.match(name, begin))]


def _told(error: SqlglotError) -> str:
    problems = getattr(error, "errors", None) or []
    if not problems:
        return "this is no SQL that can be understood: " + re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0]
    first = problems[0]
    return f"line {first['line']}, column {first['col']}: {first['description'].rstrip('.').lower()}"
