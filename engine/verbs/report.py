"""Make the page of a finished run anew."""

from pathlib import Path

from plimsoll.engine.report.export import check_free, write_files
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.tearsheet.page import tearsheet_html


def report(run: Path | str, out: Path | str | None = None, *, force: bool = False) -> Result:
    """Return a finished run read back from its folder; with `out`, write its page there, as it looks today.

    Parameters
    ----------
    run : path
        A run folder.
    out : path, optional
        The page, FILE.html. force : overwrite it.

    Raises
    ------
    DataError
        If the folder is not a whole run.
    OutputError
        If the page is there already or cannot be written.
    """
    page = None if out is None else Path(out)
    if page is not None:
        check_free(page, force=force)
    result = Result.load(run)
    if page is not None:
        write_files({page: tearsheet_html(record_of(result), result.metrics).encode()})
    return result
