"""The API's own errors."""

from typing import Any

from rest_framework.exceptions import APIException

RETRY_SECONDS = 5


class Problem(APIException):
    """An error of ours: a status, a stable code, a sentence, and entries that say more."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code, self.errors, self.wait = status, errors, wait


class Unavailable(Problem):
    """Something that the server needs does not answer; nothing was stored."""

    def __init__(self, what: str) -> None:
        detail = f"{what} can't be reached right now. Nothing was stored. Try again."
        super().__init__(503, "unavailable", detail, wait=RETRY_SECONDS)
