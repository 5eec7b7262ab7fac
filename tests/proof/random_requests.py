"""Random requests to a running site's API, by schemathesis; imported once MIEN_DATA names it."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup

from tests.proof import rows
from tests.recognition.api.rows import existing, rows_of, rows_of_training
from tests.recognition.api.test_schema import session_of  # which also says how pieces are sent

from benchmarks.uploads import photo  # isort: skip


def send(url: str, email: str | None, examples: int, number: int) -> tuple[int, list[str]]:
    """Send requests as this person ("": nobody, None: the administrator), drawn with a seed.

    Returns how many, and those that were answered with a server error.
    """
    api = schemathesis.openapi.from_url(f"{url}/api/v1/schema/", timeout=60)
    credentials: dict[str, Any] = {}
    known: dict[str, Any] = {}
    if email != "":
        person = rows.person(email) if email else rows.administrator()
        credentials = session_of(person)
        known = dict(rows_of(person, photo(200, 200, 0)))
        if email is None:
            rows.settings.DATASETS_DIR.mkdir(exist_ok=True)
            known |= rows_of_training(person)
    api.config.generation.update(with_security_parameters=not credentials)
    count, wrong = 0, []
    for operation in api.get_all_operations():

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.ok().as_strategy(), exists=strategies.booleans())
        def ask(case, exists):  # type: ignore[no-untyped-def]
            nonlocal count
            count += 1
            if exists and case.path_parameters:
                case.path_parameters = existing(known, case.path, case.path_parameters)
            try:
                case.call_and_validate(checks=(not_a_server_error,), timeout=60, **credentials)
            except (Failure, FailureGroup) as failure:
                wrong.append(f"{case.method} {case.path}: {failure}")

        ask()
    return count, wrong
