"""What a person says of a file that the file cannot say itself."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from plimsoll.engine.errors import ConfigError, DataError

DateOrder: TypeAlias = Literal["dmy", "mdy"]
Adjustment: TypeAlias = Literal["raw", "split", "all"]
BarStamp: TypeAlias = Literal["start", "end"]
Mark: TypeAlias = Literal[".", ","]
Choice = TypeVar("Choice", bound=str)

ORDERS: Final[tuple[DateOrder | Literal[""], ...]] = ("", "dmy", "mdy")
ADJUSTMENTS: Final[tuple[Adjustment | Literal[""], ...]] = ("", "raw", "split", "all")
STAMPS: Final[tuple[BarStamp | Literal[""], ...]] = ("", "start", "end")
MARKS: Final[tuple[Mark | Literal[""], ...]] = ("", ".", ",")


@dataclass(frozen=True, slots=True)
class Flags:
    """The word of the user; "" = nothing said, then the file or its vendor's documentation must tell.

    symbol : of the only one imported. only : symbols wanted of files that hold many, empty = all.
    date_order : of dates such as 01/02/2024. zone : an IANA name, of stamps without one. decimal : the decimal mark.
    adjustment : what prices contain: nothing, splits, or splits and dividends. stamp : where a bar's stamp stands.
    extended : keep bars outside regular hours. pays_nothing : no dividend was ever paid.
    """

    symbol: str = ""
    only: frozenset[str] = frozenset()
    date_order: DateOrder | Literal[""] = ""
    zone: str = ""
    decimal: Mark | Literal[""] = ""
    adjustment: Adjustment | Literal[""] = ""
    stamp: BarStamp | Literal[""] = ""
    extended: bool = False
    pays_nothing: bool = False


class FlagError(DataError):
    """Something about a file only its owner knows; `flag` says it, where the command has it."""

    def __init__(self, what: str, *, where: str, flag: str, cause: str = "") -> None:
        super().__init__(what, where=where, cause=cause, fix=f"say {flag}")
        self.flag = flag

    def elsewhere(self) -> DataError:
        """Return it for a command that has no such flag."""
        fix = f"`plimsoll data import` takes {self.flag}, and without --out it only checks"
        return DataError(self.what, where=self.where, cause=self.cause, fix=fix)


def ask(what: str, where: str, flag: str, *, cause: str = "") -> FlagError:
    """Return the error that asks for a flag."""
    return FlagError(what, where=where, flag=flag, cause=cause)


def chosen(word: str, choices: tuple[Choice, ...], flag: str) -> Choice:
    """Return the choice that a word is.

    Raises
    ------
    ConfigError
        If it is none of them.
    """
    for one in choices:
        if word == one:
            return one
    raise ConfigError(f"{word!r} is none of its choices", where=flag, fix=f"one of {' '.join(choices).strip()}")
