"""What a user of the command line sees instead of a traceback: a sentence and an exit code."""


class UsageError(Exception):
    """Bad input (exit code 2): names the argument, what was expected, what was found, and the remedy."""


class Interrupted(Exception):  # noqa: N818 - the user's choice, not an error
    """Ctrl-C (exit code 130): the message says which finished results were kept, and where."""
