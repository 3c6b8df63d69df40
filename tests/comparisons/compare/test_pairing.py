import numpy as np
import pytest

from backproof.comparisons.compare.pairing import Same, alike, equal_axes, pairs, same_parameters
from backproof.reference.record import Call
from backproof.scratch.architecture import Array


def a_call(name: str, kind: str, parent: int = 0, size: int = 0, shape: tuple[int, ...] = (2, 3)) -> Call:
    return Call(name, name, kind, parent, size, [], [np.zeros(shape)])


WHOLE = a_call("model", "Sequential", -1, 30)


def named(*calls: Call) -> list[Call]:
    return [WHOLE, *calls]


def test_layers_are_paired_across_other_names_kinds_and_functions_in_between() -> None:
    ours = named(a_call("0", "Linear", size=10), a_call("1", "ReLU"), a_call("2", "Linear", size=20))
    theirs = named(a_call("first", "Own", size=10), a_call("second", "Own", size=20))
    assert pairs(ours, theirs) == {0: 0, 1: 1, 3: 2}


def test_what_one_side_wraps_is_opened() -> None:
    ours = named(a_call("0", "Linear", size=10), a_call("1", "Linear", size=20))
    inner = [a_call("body", "Body", size=33), a_call("a", "L", 1, 10), a_call("b", "L", 1, 20)]
    assert pairs(ours, named(*inner)) == {0: 0, 1: 2, 2: 3}


def test_a_layer_without_parameters_is_no_other_kind_of_layer() -> None:
    assert alike(a_call("1", "ReLU"), a_call("act", "GELU")) == 0
    assert alike(a_call("1", "ReLU"), a_call("act", "ReLU")) > 0
    assert alike(a_call("1", "ReLU"), a_call("1", "BatchNorm2d", size=8)) == 0


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def test_axes_in_another_order_are_found_by_the_values() -> None:
    kernel = numbers(4, 3, 2, 2)
    assert equal_axes(kernel, kernel.transpose(2, 3, 1, 0)) == (3, 2, 0, 1)
    assert equal_axes(kernel, kernel + 1) is None


def test_stacked_parameters_and_the_zeros_beside_them_are_found() -> None:
    weight = numbers(6, 2)
    parts = {f"{name}.weight": part for name, part in zip("qkv", np.split(weight, 3), strict=True)}
    zeros = {f"{name}.bias": np.zeros(2) for name in ("out", "q", "k", "v")}
    found = same_parameters({"in.weight": weight, "in.bias": np.zeros(6)}, {**parts, **zeros})
    assert {one.ours: one.theirs for one in found} == {
        "in.weight": ("q.weight", "k.weight", "v.weight"),
        "in.bias": ("q.bias", "k.bias", "v.bias"),
    }


def test_the_same_numbers_in_other_places_are_told_from_other_numbers() -> None:
    rows = numbers(5, 3)
    (moved,) = same_parameters({"a": rows}, {"b": np.roll(rows, 1, 0)})
    (other,) = same_parameters({"a": rows}, {"b": rows + 1})
    assert (moved.values, other.values) == ("moved", "other")


# --- likeness -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "other", "likeness"),
    [
        (("a", "L", 4, (2, 3)), ("a", "L", 4, (2, 3)), 7.5),
        (("a", "L", 4, (2, 3)), ("b", "L", 4, (2, 3)), 6.0),
        (("a", "L", 4, (2, 3)), ("b", "M", 4, (2, 3)), 4.0),
        (("a", "L", 4, (2, 3)), ("b", "M", 4, (2, 4)), 3.0),
        (("a", "L", 4, (2, 3)), ("a", "M", 5, (2, 4)), 1.5),
        (("a", "L", 4, (2, 3)), ("b", "L", 5, (2, 4)), 2.0),
        (("a", "L", 4, (2, 3)), ("b", "M", 5, (2, 3)), 0.0),
        (("a", "R", 0, (2, 3)), ("b", "R", 0, (2, 3)), 3.0),
        (("a", "R", 0, (2, 3)), ("a", "S", 0, (2, 3)), 2.5),
        (("a", "R", 0, (2, 3)), ("b", "S", 0, (2, 3)), 0.0),
        (("a", "R", 0, (2, 3)), ("a", "S", 4, (2, 3)), 0.0),
        (("a", "R", 0, (2, 3)), ("b", "R", 4, (2, 3)), 3.0),
    ],
)
def test_likeness_adds_up_what_speaks_for_it(
    mine: tuple[str, str, int, tuple[int, ...]], other: tuple[str, str, int, tuple[int, ...]], likeness: float
) -> None:
    calls = [a_call(name, kind, size=size, shape=shape) for name, kind, size, shape in (mine, other)]
    assert alike(*calls) == alike(*calls[::-1]) == likeness


def test_calls_without_an_output_have_a_shape_too() -> None:
    bare = Call("a", "a", "L", 0, 4, [], [])
    assert alike(bare, bare) == 7.5
    assert alike(bare, a_call("a", "L", size=4)) == 6.5


def test_the_sum_of_likenesses_is_largest_rather_than_the_first_pair() -> None:
    """The first of ours is like the second of theirs, a little; both in order are likelier."""
    ours = named(a_call("a", "L", size=10), a_call("b", "L", size=20))
    theirs = named(a_call("b", "L", size=10), a_call("a", "M", size=10), a_call("b", "L", size=20))
    assert pairs(ours, theirs) == {0: 0, 1: 1, 2: 3}
    assert pairs(theirs, ours) == {0: 0, 1: 1, 3: 2}


def test_too_little_likeness_is_none() -> None:
    assert pairs(named(a_call("a", "L", size=4)), named(a_call("b", "L", size=5, shape=(2, 4)))) == {0: 0}
    assert pairs(named(a_call("a", "L", size=4)), named(a_call("b", "M", size=4, shape=(2, 4)))) == {
        0: 0,
        1: 1,
    }


def test_nothing_beside_nothing_is_no_pair() -> None:
    assert pairs([], named()) == pairs(named(), []) == {}
    assert pairs(named(), named()) == {0: 0}


def test_what_stands_before_between_and_after_two_pairs_is_opened() -> None:
    def wrapped(*layers: tuple[str, int]) -> list[Call]:
        """Each layer inside a body of its own, but for those of even size."""
        calls = [WHOLE]
        for name, size in layers:
            if size % 2:
                calls += [a_call(f"in {name}", "Body", size=1000 + size), a_call(name, "L", len(calls), size)]
            else:
                calls.append(a_call(name, "L", size=size))
        return calls

    plain = named(*(a_call(f"p{i}", "L", size=size) for i, size in enumerate((3, 4, 5, 6, 7))))
    found = pairs(plain, wrapped(("a", 3), ("b", 4), ("c", 5), ("d", 6), ("e", 7)))
    assert found == {0: 0, 1: 2, 2: 3, 3: 5, 4: 6, 5: 8}


# --- parameters ---------------------------------------------------------------------------------------------


def test_a_parameter_goes_into_the_other_layout_and_comes_back() -> None:
    kernel = numbers(4, 3, 2, 5)
    theirs = {"k": kernel.transpose(2, 3, 1, 0), "q": numbers(2, 3), "v": numbers(4, 3)}
    axes = equal_axes(kernel, theirs["k"])
    assert axes is not None
    one = Same("w", ("k",), axes)
    mapped = one.mapped(theirs)
    assert mapped is not None
    np.testing.assert_array_equal(mapped, kernel)
    np.testing.assert_array_equal(one.back(kernel, theirs)["k"], theirs["k"])
    stack = Same("s", ("q", "v"), (0, 1))
    whole = stack.mapped(theirs)
    assert whole is not None
    np.testing.assert_array_equal(whole, np.concatenate([theirs["q"], theirs["v"]]))
    np.testing.assert_equal(stack.back(whole, theirs), {"q": theirs["q"], "v": theirs["v"]})
    assert stack.mapped({"q": theirs["q"]}) is None
    number = Same("n", ("m",), ())
    assert number.back(np.array(3.0), {"m": np.array(2.0)})["m"] == 3.0


def test_values_say_which_is_which_before_names_and_names_before_the_order() -> None:
    first, second = numbers(3, 3), numbers(3, 4)[:, :3]
    found = same_parameters({"a": first, "b": second}, {"b": first, "a": second})
    assert {(one.ours, *one.theirs, one.values) for one in found} == {("a", "b", "same"), ("b", "a", "same")}
    found = same_parameters({"a": first, "b": second}, {"b": first + 1, "a": second + 1})
    assert {(one.ours, *one.theirs, one.values) for one in found} == {
        ("a", "a", "other"),
        ("b", "b", "other"),
    }
    found = same_parameters({"a": first, "b": second}, {"c": first + 1, "d": second + 1})
    assert {(one.ours, *one.theirs) for one in found} == {("a", "c"), ("b", "d")}


def test_biases_that_begin_as_zeros_go_with_the_weights_of_their_layer() -> None:
    W, V, zero = numbers(3, 3), numbers(3, 4)[:, :3], np.zeros(3)
    ours = {"0.bias": zero, "0.weight": W, "1.bias": zero, "1.weight": V}
    theirs = {"y.bias": zero, "y.weight": V, "x.bias": zero, "x.weight": W}
    found = {one.ours: one.theirs for one in same_parameters(ours, theirs)}
    assert found == {
        "0.weight": ("x.weight",),
        "1.weight": ("y.weight",),
        "0.bias": ("x.bias",),
        "1.bias": ("y.bias",),
    }


def test_a_stack_is_of_neighbours_of_its_width_from_wherever_it_begins() -> None:
    whole = numbers(6, 2)
    theirs = {"z": numbers(2, 2) + 9, "a": whole[:2], "b": whole[2:5], "c": whole[5:], "d": numbers(2, 3)}
    (one,) = same_parameters({"w": whole}, theirs)
    assert (one.theirs, one.values, one.axes) == (("a", "b", "c"), "same", (0, 1))
    assert same_parameters({"w": whole}, {"a": whole[:2], "c": whole[5:], "b": whole[2:5]}) == []
    assert same_parameters({"w": whole}, {"a": whole[:2].ravel(), "b": whole[2:]}) == []


def test_one_number_or_equal_numbers_say_nothing_by_their_values() -> None:
    """By its values the constant of theirs could be either of ours; the layers tell."""
    ours = {
        "0.scale": np.ones(2),
        "0.weight": numbers(2, 2),
        "1.scale": np.ones(2),
        "1.weight": numbers(3, 2),
    }
    theirs = {
        "b.scale": np.ones(2),
        "b.weight": ours["1.weight"],
        "a.scale": np.ones(2),
        "a.weight": ours["0.weight"],
    }
    found = {one.ours: one.theirs[0] for one in same_parameters(ours, theirs)}
    assert (found["0.scale"], found["1.scale"]) == ("a.scale", "b.scale")


def test_axes_are_those_in_which_every_number_is_the_same() -> None:
    square = numbers(3, 3)
    assert equal_axes(square, square.T) == (1, 0)
    off = square.T.copy()
    off[0, 1] += 1
    assert equal_axes(square, off) is None
    assert equal_axes(square, square.ravel()) is None
    assert equal_axes(numbers(2, 3), numbers(2, 4)) is None
