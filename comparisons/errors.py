"""The one error that a user of the command line sees: a sentence, and exit code 2."""


class UsageError(Exception):
    """Bad input: the message names the argument, what was expected, what was found, and the remedy."""
