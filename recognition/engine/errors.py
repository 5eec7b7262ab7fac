"""Errors in what users send: a stable code and a sentence they can act on."""


class CodedError(ValueError):
    """An error that only the sender can fix.

    `code` is stable snake_case for programs; `message` tells people what is wrong and what to do
    about it; `field` names the option at fault, if there is one.
    """

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


class MediaError(CodedError):
    """A photo that cannot be read."""


class ModelError(CodedError):
    """A model file that cannot be used."""
