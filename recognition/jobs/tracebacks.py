"""What is kept of an exception that broke a job off: for administrators, and nothing of a photo."""

import traceback

from django.db import Error as DatabaseError

MOST = 8_000  # characters; the end is kept, where the cause is


def describe(error: BaseException) -> str:
    """The traceback of an exception and of those that led to it, the first one first."""
    chain = [error]
    while cause := chain[0].__cause__ or (
        None if chain[0].__suppress_context__ else chain[0].__context__
    ):
        chain.insert(0, cause)
    # What a database says after its first line may be the whole row: titles, notes.
    brief = any(isinstance(one, DatabaseError) for one in chain)
    return "\n\n".join(_describe_one(one, brief) for one in chain)[-MOST:]


def _describe_one(error: BaseException, brief: bool) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    message = str(error).partition("\n")[0] if brief else str(error)
    name = type(error).__qualname__
    return f"{frames}{name}: {message}" if message else f"{frames}{name}"
