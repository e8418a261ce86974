"""The refusals that every address has, named in the OpenAPI document."""

from typing import Any

Document = dict[str, Any]
SENTENCE = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
    "description": "A sentence that says what is wrong and what to do.",
}
FAULTS = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": {"anyOf": [{"type": "array"}, {"type": "object"}]},
    "description": "`detail` says what is wrong; or each field, and `non_field_errors`, has a list of sentences of its own.",
}
OF_ALL = {
    "400": "Something that was sent cannot be: a parameter, a field, the JSON itself.",
    "401": "No token, or one that is unknown or has expired.",
    "403": "The token lacks the scope, or its user the right.",
    "404": "There is no such thing, or it is not yours to see.",
    "500": "A fault of ours. `failure` is its number in the log.",
    "503": "The database does not answer just now. Ask again in a moment, under the same key.",
}
OF_WRITING = {
    "409": "It cannot be done any more: somebody was faster, or things have moved on. "
    "With `Retry-After` it cannot be done just now: send it again as it was, so many seconds later.",
    "413": "The body is too large.",
    "415": "The body is of another type than this address takes, or packed.",
    "422": "The Idempotency-Key was used for another request.",
    "507": "The disk has no room for it.",
}
WRITING = ("post", "put", "patch", "delete")


def name_refusals(result: Document, generator: object, request: object, public: object) -> Document:
    """Give each operation the refusals that it does not name itself."""
    parts = result["components"]
    parts["schemas"] |= {"Sentence": SENTENCE, "Faults": FAULTS}
    parts["responses"] = {
        f"Refused{status}": {"description": text, "content": {"application/json": {"schema": _shape(status)}}}
        for status, text in (OF_ALL | OF_WRITING).items()
    }
    for path in result["paths"].values():
        for method, operation in path.items():
            named = OF_ALL | (OF_WRITING if method in WRITING else {})
            for status in named:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Refused{status}"})
    return result


def _shape(status: str) -> Document:
    return {"$ref": f"#/components/schemas/{'Faults' if status == '400' else 'Sentence'}"}
