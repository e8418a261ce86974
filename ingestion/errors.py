"""What can be wrong with what arrives; each error is one sentence for a person."""


class IngestionError(Exception):
    """Something about a delivery that a person can mend; its text says what and how."""


class UnreadableFile(IngestionError):
    """The bytes are no table of rows."""


class MissingColumn(IngestionError):
    """A mapping names a column that the file does not have."""


class BadMapping(IngestionError):
    """A mapping step that cannot be carried out."""
