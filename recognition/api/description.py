"""Adds the possible problem documents to every operation of the API's description."""

from typing import Any

from recognition.api.handler import CONTENT_TYPE, title_of

PROBLEMS = (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 503)
TUS_PROBLEMS = (410, 412, 423, 460, 507)
"""More of them at /uploads/, where the protocol wants them."""
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
    for path, operations in result["paths"].items():
        more = TUS_PROBLEMS if "/uploads/" in path else ()
        for operation in operations.values():
            for status in (*PROBLEMS, *more):
                answer = {"description": title_of(status), "content": content}
                operation["responses"].setdefault(str(status), answer)
    return result
