"""A whole claimed gradient: what is looked at of it, and what is known to whoever asks for a cause."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts import any_function, gradient_judge, gradient_noise
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import EPS, Noise
from backproof.comparisons.verdicts.gradient_judge import Choice, Claims, judge
from backproof.comparisons.verdicts.gradient_laws import Seen
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import tensors
from backproof.comparisons.verdicts.tensor_judge import OWN_ROUNDINGS, RESOLUTION
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Array

PARAMS = {"u": np.array([0.3, -1.2, 2.0]), "v": np.array([[1.1, -0.4]])}


def f(p: dict[str, Array]) -> float:
    return float(np.sin(p["u"]).sum() + np.exp(p["v"]).sum())


RIGHT = {"u": np.cos(PARAMS["u"]), "v": np.exp(PARAMS["v"])}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Seen, Callable[[int, float], float]]]:
    """What is handed to the search for causes."""
    found: list[tuple[Seen, Callable[[int, float], float]]] = []

    def causes(seen: Seen, value: Callable[[int, float], float]) -> tuple[()]:
        found.append((seen, value))
        return ()

    monkeypatch.setattr(gradient_judge, "causes", causes)
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_cause_is_asked_of_every_slope_with_the_rounding_that_the_claim_may_have(
    known: list[tuple[Seen, Callable[[int, float], float]]], dtype: str
) -> None:
    claimed = {name: np.asarray(2 * g, dtype) for name, g in RIGHT.items()}
    assert check_gradient(f, claimed, PARAMS).outcome == Outcome.FAIL
    (u, value), (v, _) = known
    largest = float(np.abs(claimed["u"]).max())
    assert u.rounding == pytest.approx(OWN_ROUNDINGS * EPS[dtype] * largest, rel=1e-12)
    assert [probe.where for probe in u.probes] == [0, 1, 2]
    np.testing.assert_allclose(u.slopes, RIGHT["u"], rtol=1e-9)
    assert (u.claimed.shape, u.theta.shape, v.claimed.shape) == ((3,), (3,), (1, 2))
    np.testing.assert_array_equal(u.theta, PARAMS["u"])
    assert u.value == f(PARAMS)
    assert set(u.others) == {"params['v']"}
    np.testing.assert_array_equal(u.others["params['v']"], claimed["v"])
    moved = {**PARAMS, "u": PARAMS["u"] + [0.0, 0.25, 0.0]}
    assert value(1, 0.25) == pytest.approx(f(moved), rel=1e-12)


def test_a_slope_at_a_kink_is_known_to_no_cause(known: list[tuple[Seen, Any]]) -> None:
    params = np.array([0.0, 1.0, 2.0])
    check_gradient(lambda t: float(np.abs(t).sum()), np.array([0.5, 3.0, 3.0]), params)
    ((seen, _),) = known
    assert [probe.where for probe in seen.probes] == [1, 2]


def test_probes_are_as_uncertain_as_their_bound_and_their_doubt(known: list[tuple[Seen, Any]]) -> None:
    check_gradient(f, {name: 2 * g for name, g in RIGHT.items()}, PARAMS)
    for seen, _ in known:
        assert all(0 < probe.error < 1e-6 for probe in seen.probes)
        np.testing.assert_allclose(seen.errors, [probe.error + seen.rounding for probe in seen.probes])


# --- what is looked at --------------------------------------------------------------------------------------


def looked_at(n: int, choice: Choice, claimed: Array | None = None) -> Verdict:
    params = np.linspace(0.1, 1.0, n)
    point = Point(lambda t: float((t**2).sum()), params, tensors(params), in_place=False)
    gradient = 2 * params if claimed is None else claimed
    return judge(point, Claims([gradient[None]], "float64"), choice)["params"]


def test_up_to_64_entries_are_looked_at_one_by_one_and_of_more_twenty_and_all_of_them_at_once() -> None:
    assert looked_at(64, Choice([None])).n_compared == 64
    more = looked_at(65, Choice([None]))
    assert more.n_compared == 20
    assert more.reason.startswith("20 of 65 entries one by one, all through 8 directions")
    assert looked_at(65, Choice([None], one_by_one=65)).n_compared == 65
    assert looked_at(65, Choice([None], sampled=7)).n_compared == 7
    chosen = looked_at(65, Choice([np.array([3, 64])]))
    assert chosen.n_compared == 2
    assert "directions" not in chosen.reason


def test_what_is_not_chosen_is_looked_at_as_by_default() -> None:
    assert Choice([None]) == Choice([None], resolution=None, seed=0, one_by_one=64, sampled=20)


def test_the_seed_decides_which_entries_are_looked_at() -> None:
    def drawn(seed: int) -> list[int]:
        params = np.linspace(0.1, 1.0, 200)
        point = Point(lambda t: float((t**2).sum()), params, tensors(params), in_place=False)
        lines = gradient_judge._Lines(point, 0, params[None], Choice([None], seed=seed))
        assert lines.entries == sorted(set(lines.entries))
        return lines.entries

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_resolution_that_is_not_asked_for_is_that_of_the_coarsest_of_claim_and_functions() -> None:
    def default(kind: str, *eps: str) -> float:
        return gradient_judge._default_resolution([Noise(0.0, EPS[name]) for name in eps], kind)

    assert default("float64", "float64") == RESOLUTION["float64"] == 1e-6
    assert default("float32", "float64") == RESOLUTION["float32"] == 1e-3
    assert default("float64", "float64", "float32") == 1e-3
    assert default("float16", "float64") == default("float64", "float16") == 5e-3


def test_the_largest_entry_is_of_either_sign_and_finite() -> None:
    assert gradient_judge._largest(np.array([1.0, -3.0, np.nan, np.inf])) == 3.0
    assert gradient_judge._largest(np.array([np.nan])) == gradient_judge._largest(np.zeros(0)) == 0.0


def test_what_is_asked_of_check_gradient_arrives_at_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(any_function, "judge", lambda *given: seen.append(given))
    check_gradient(f, RIGHT, PARAMS)
    check_gradient(f, lambda p: RIGHT, PARAMS, resolution=0.01, seed=7, name=str, entries=[[0, 2], [1]])
    (plain, asked) = (one[2] for one in seen)
    assert (plain.resolution, plain.seed, plain.entries) == (None, 0, [None, None])
    assert (plain.one_by_one, plain.sampled) == (64, 20)
    assert (asked.resolution, asked.seed) == (0.01, 7)
    assert [list(one) for one in asked.entries] == [[0, 2], [1]]
    assert [one[3] for one in seen] == [None, str]
    assert seen[0][1].noise is None
    assert seen[1][1].noise._seed == 7


def test_noise_is_read_by_the_seed_and_a_function_of_several_labels_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeds: list[int] = []
    own = gradient_noise.function_noises

    def noises(point: Point, seed: int) -> Any:
        seeds.append(seed)
        return own(point, seed)

    monkeypatch.setattr(gradient_judge, "function_noises", noises)
    params = np.array([0.3, 0.5])
    point = Point(
        lambda t: np.array([t.sum(), (t**2).sum()]), params, tensors(params), in_place=False, read=np.asarray
    )
    claims = Claims([np.stack([np.ones(2), 3 * params])], "float64", labels=("sum", "squares"))
    verdict = judge(point, claims, Choice([None], seed=9))["params"]
    assert seeds == [9]
    assert verdict.outcome == Outcome.FAIL
    assert verdict.reason.endswith(" (of squares)")
    right = Claims([np.stack([np.ones(2), 2 * params])], "float64", labels=("sum", "squares"))
    assert "(of" not in judge(point, right, Choice([None], seed=9))["params"].reason


@pytest.mark.parametrize(("claimed", "outcome"), [(0.0, Outcome.INCONCLUSIVE), (np.nan, Outcome.FAIL)])
def test_a_function_that_ignores_its_argument_decides_nothing_but_that_nan_is_wrong(
    claimed: float, outcome: Outcome
) -> None:
    verdict = check_gradient(lambda t: 2.5, np.full(3, claimed), np.ones(3))["params"]
    assert verdict.outcome == outcome
    assert "it ignores its argument" in verdict.reason
    assert (verdict.n_compared, verdict.n_inconclusive) == (0, 3)
