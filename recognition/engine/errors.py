"""What can be wrong with a photo or a model file: a stable code and a sentence to act on."""


class MediaError(ValueError):
    """A photo that cannot be read.

    `code` is stable snake_case for machines; `message` tells a person what was wrong and what to
    do about it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ModelError(ValueError):
    """A model file that cannot be used; `code` and `message` as in MediaError."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
