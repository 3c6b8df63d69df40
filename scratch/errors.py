"""Bad input, refused where it comes in, by one sentence: argument, expected, found, and the remedy."""

from collections.abc import Collection
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


class InputError(ValueError):
    """Bad input; the command line shows its message and ends with exit code 2."""


class InputTypeError(InputError, TypeError):
    """Bad input of a wrong type."""


def expect(holds: object, message: str, error: type[Exception] = InputError) -> None:
    """Raise `error` with this message, which begins with the argument's name, unless it holds.

    Parameters
    ----------
    holds
        What must be true; its truth value counts.
    message
        One sentence: the argument, what was expected, what came, and the remedy.
    error
        The class that is raised.

    Raises
    ------
    InputError
        Or the class given, where it does not hold.
    """
    if not holds:
        raise error(message)


def expect_one_of(argument: str, value: object, choices: Collection[str]) -> None:
    """Raise InputError unless `value` is one of these names.

    Parameters
    ----------
    argument
        The name the message begins with.
    value
        What was given for it.
    choices
        The names that are known.

    Raises
    ------
    InputError
        For another one; a close name among them is suggested.
    """
    if value not in choices:  # the guess takes time: it is made for a refusal alone
        message = f"{argument}: expected one of {', '.join(choices)}; got {value!r}"
        raise InputError(message + did_you_mean(value, choices))


def did_you_mean(value: object, choices: Collection[str]) -> str:
    """``; did you mean torch?`` where one of the choices is close in whatever case, else nothing.

    Parameters
    ----------
    value
        What was given.
    choices
        The names that are known.

    Returns
    -------
    str
        The end of a sentence, empty where no choice is close.
    """
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in choices}
    close = get_close_matches(str(value).lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def expect_shape(argument: str, array: "NDArray[Any]", shape: tuple[int, ...]) -> None:
    """Raise InputError unless the array has this shape.

    Parameters
    ----------
    argument
        The name the message begins with.
    array
        What was given for it.
    shape
        The one it must have.

    Raises
    ------
    InputError
        For another shape, both being told.
    """
    expect(array.shape == shape, f"{argument}: expected shape {shape}, got {array.shape}")


def expect_number(argument: str, value: Any, low: float, high: float) -> None:
    """A real number in [low, high); infinity and NaN are in no such interval.

    Parameters
    ----------
    argument
        The name the message begins with.
    value
        What was given for it.
    low, high
        The interval [low, high), of which `high` may be infinity.

    Raises
    ------
    InputError
        For a number outside.
    InputTypeError
        For what is no real number; a truth value is none.
    """
    is_number, kind = isinstance(value, Real) and not isinstance(value, bool), type(value).__name__
    expect(is_number, f"{argument}: expected a number, got {kind}; pass a float", InputTypeError)
    expect(low <= value < high, f"{argument}: expected a number in [{low:g}, {high:g}), got {value!r}")


def expect_range(argument: str, what: str, indices: "NDArray[Any]", stop: int) -> None:
    """Raise InputError unless all of these are in 0 .. stop - 1.

    Parameters
    ----------
    argument
        The name the message begins with.
    what
        What the numbers are, such as "labels".
    indices
        Integers of any shape, one at least.
    stop
        One more than the largest that is allowed.

    Raises
    ------
    InputError
        For an index outside; the smallest and the largest are told.
    """
    low, high = indices.min(), indices.max()
    expect(0 <= low <= high < stop, f"{argument}: expected {what} 0 .. {stop - 1}, found {low} .. {high}")
