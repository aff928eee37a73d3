"""Every error a user can meet. A message says what was given, what is allowed, and what to do."""


class EconError(Exception):
    """Base of all errors of this package; catching it catches them all."""


class DataError(EconError, ValueError):
    """The data cannot be used as they are: duplicate keys, infinities, unknown regions, a changed file."""


class FormulaError(EconError, ValueError):
    """A formula that does not parse, names no column, or asks for what is not allowed in a formula."""


class OptionError(EconError, ValueError):
    """An argument outside what is allowed."""


class ModelError(EconError, ValueError):
    """The data and options are valid, but the model cannot be estimated on them."""


class MissingPackageError(EconError, ImportError):
    """An optional library is needed; the message names the extra that installs it."""


class StudyError(EconError):
    """A study could not be built."""


class EconWarning(UserWarning):
    """Valid, but to be read; the same text stays on the result as a note."""
