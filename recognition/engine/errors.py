"""What can be wrong with what somebody sends: a stable code and a sentence to act on."""


class CodedError(ValueError):
    """Something that only a person can change.

    `code` is stable snake_case for programs; `message` tells a person what was wrong and what to do
    about it; `field` names the option that is to blame, if one is.
    """

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


class MediaError(CodedError):
    """A photo that cannot be read."""


class ModelError(CodedError):
    """A model file that cannot be used."""
