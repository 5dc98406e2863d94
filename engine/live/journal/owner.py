"""Whose a journal is: one book, on one account or on none. Another one would go on with its plan and its holdings."""

from typing import Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.file import JournalFile

BOOK: Final = "book"  # single values of the journal
ACCOUNT: Final = "account"


def check_owner(journal: JournalFile, book: str, account: str | None = None) -> None:
    """Refuse a journal of another book or another account, as far as it says whose it is.

    account : None = orders are only emitted.

    Raises
    ------
    OutputError
        If it is another one's.
    """
    for key, mine in ((BOOK, book), (ACCOUNT, account)):
        there = journal.meta(key)
        if mine is not None and there is not None and there != mine:
            raise OutputError(
                f"this is the journal of {key} {there}, not of {mine}", where=str(journal.path),
                cause="a configuration that was copied or changed, and live.state was not",
                fix="name another folder under live.state",
            )  # fmt: skip


def own(journal: JournalFile, book: str, account: str | None = None) -> None:
    """Write down whose a journal is, where it does not say so yet; OutputError as `check_owner`."""
    check_owner(journal, book, account)
    mine = {BOOK: book} | ({} if account is None else {ACCOUNT: account})
    new = {key: value for key, value in mine.items() if journal.meta(key) is None}
    if not new:
        return
    begun = "" if not journal.last_stamp() else "the journal was begun before it said so"
    with journal.tx():
        for key, value in new.items():
            journal.set_meta(key, value)
        journal.event("owner", **new, why=begun)
