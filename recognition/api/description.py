"""Adds the possible problem documents to every operation of the API's description."""

import http
from typing import Any

from recognition.api.handler import CONTENT_TYPE

PROBLEMS = (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 503)
PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457); `code` is stable, `detail` is for people.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
    "required": ["type", "title", "status", "code", "detail"],
}


def add_problems(result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Postprocessing hook: adds a problem document to each operation's responses."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status in PROBLEMS:
                answer = {"description": http.HTTPStatus(status).phrase, "content": content}
                operation["responses"].setdefault(str(status), answer)
    return result
