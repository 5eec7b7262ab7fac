"""What can be wrong with the material of a training, said so that a person can act on it."""


class DatasetError(ValueError):
    """A data set cannot be used; the message names the file or row and the reason."""


class OtherRowsError(DatasetError):
    """Votes are of other faces than the data set's."""


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""
