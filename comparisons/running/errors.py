"""What a user of the command line sees instead of a traceback: a sentence and an exit code.

Bad input is `InputError` (exit code 2), raised where the input is.
"""


class Interrupted(Exception):  # noqa: N818 - the user's choice, not an error
    """Ctrl-C (exit code 130): the message says which finished results were kept, and where."""
