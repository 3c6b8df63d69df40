import numpy as np

from backproof.comparisons.compare.pairing import alike, equal_axes, pairs, same_parameters
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
