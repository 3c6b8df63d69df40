"""Schedules: torch's own schedulers are the witness."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.architecture import Architecture, Array, OptimizerName, OptimizerSpec
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.schedules import Schedule, cosine, one_cycle, step_decay
from backproof.scratch.training import EpochPlan, Recipe, fit, train
from tests.support.tolerances import gamma

RATE = 0.3
MakeScheduler = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]


def torch_rates(make_scheduler: MakeScheduler, n_steps: int) -> Array:
    """The rates torch uses for steps 0 .. n_steps - 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = make_scheduler(optimizer)
    rates = []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def assert_same_rates(schedule: Schedule, expected: Array) -> None:
    """torch multiplies its way from step to step: about 8 roundings each, relative to the largest rate."""
    found = [RATE * schedule(step) for step in range(len(expected))]
    np.testing.assert_allclose(found, expected, rtol=0, atol=gamma(8 * len(expected), "float64") * RATE)


@given(every=st.integers(1, 20), decay=st.floats(0.05, 1.0))
def test_step_decay_is_torchs_step_lr(every: int, decay: float) -> None:
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.StepLR(o, every, decay), 60)
    assert_same_rates(step_decay(every, decay), expected)


@given(n_steps=st.integers(1, 80), final=st.floats(0.0, 1.0))
def test_cosine_is_torchs_cosine_annealing(n_steps: int, final: float) -> None:
    expected = torch_rates(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, n_steps, eta_min=final * RATE), n_steps
    )
    assert_same_rates(cosine(n_steps, final), expected)


@given(
    n_steps=st.integers(20, 100),
    warm_up=st.floats(0.1, 0.9),
    start=st.floats(1.0, 100.0),
    final=st.floats(1.0, 1e5),
)
def test_one_cycle_is_torchs_one_cycle(n_steps: int, warm_up: float, start: float, final: float) -> None:
    expected = torch_rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            RATE,
            n_steps,
            pct_start=warm_up,
            div_factor=start,
            final_div_factor=final,
            cycle_momentum=False,
        ),
        n_steps - 1,  # after the last one torch refuses to step
    )
    assert_same_rates(one_cycle(n_steps, warm_up, start, final), expected)


@pytest.mark.parametrize(
    "schedule", [step_decay(5), cosine(40), cosine(40, 0.1), one_cycle(40), one_cycle(40, 0.01)]
)
def test_factors_stay_between_zero_and_one_also_past_the_end_and_between_steps(schedule: Schedule) -> None:
    factors = np.array([schedule(t) for t in np.linspace(0, 100, 401)])
    assert np.all((factors >= 0) & (factors <= 1))


@pytest.mark.parametrize("final", [0.0, 0.25])
@pytest.mark.parametrize("t", [10, 10.5, 11, 19, 20, 21, 1e6])
def test_a_cosine_stays_where_it_ends(final: float, t: float) -> None:
    assert cosine(10, final)(t) == final


def test_one_cycle_ends_at_its_lowest_rate_and_stays_there() -> None:
    schedule = one_cycle(50, start_divisor=10.0, final_divisor=100.0)
    assert schedule(49) == schedule(60) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: step_decay(0), "every"),
        (lambda: step_decay(3, 0.0), "gamma"),
        (lambda: step_decay(3, 1.5), "gamma"),
        (lambda: cosine(0), "n_steps"),
        (lambda: cosine(10, -0.1), "final"),
        (lambda: cosine(10, float("nan")), "final"),
        (lambda: one_cycle(1), "n_steps"),
        (lambda: one_cycle(10, 0.0), "warm_up"),
        (lambda: one_cycle(10, start_divisor=0.5), "start_divisor"),
        (lambda: one_cycle(10, final_divisor=0.5), "final_divisor"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_by_the_name_of_its_argument(
    make: Callable[[], object], argument: str
) -> None:
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        make()


ARCHITECTURE = Architecture((3, 4, 2))
X = np.random.default_rng(0).standard_normal((12, 3))
LABELS = np.arange(12) % 2


def trained(spec: OptimizerSpec, batches: list[Array], schedule: Schedule | None = None) -> Array:
    network = Network(ARCHITECTURE, initialize(ARCHITECTURE, 0))
    train(network, X, LABELS, batches, Recipe(spec, schedule=schedule))
    return network.parameters.flat


@pytest.mark.parametrize("spec", [OptimizerSpec("sgd", 0.5), OptimizerSpec("adam", 0.01)])
def test_a_step_uses_the_factor_of_the_steps_before_it(spec: OptimizerSpec) -> None:
    """A factor of zero at step 1 alone: the first batch moves the weights, the second does not."""
    batches = [np.arange(6), np.arange(6, 12)]
    only_first = trained(spec, batches, schedule=lambda step: 1.0 if step == 0 else 0.0)
    np.testing.assert_array_equal(only_first, trained(spec, batches[:1]))


@pytest.mark.parametrize("spec", [OptimizerSpec("sgd", 0.5, momentum=0.9), OptimizerSpec("adam", 0.01)])
def test_a_constant_schedule_changes_nothing(spec: OptimizerSpec) -> None:
    batches = [np.arange(6), np.arange(6, 12)] * 3
    np.testing.assert_array_equal(trained(spec, batches, lambda step: 1.0), trained(spec, batches))


def test_fit_goes_on_with_the_schedule_from_epoch_to_epoch() -> None:
    seen = []

    def schedule(step: float) -> float:
        seen.append(step)
        return 1.0

    network = Network(ARCHITECTURE, initialize(ARCHITECTURE, 0))
    fit(network, X, LABELS, Recipe(schedule=schedule), EpochPlan(2, 5, seed=0))
    assert seen == list(range(6))


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_scheduled_training_is_torchs(name: OptimizerName) -> None:
    """30 steps of one cycle in float64, scheduler and optimiser both torch's."""
    spec = OptimizerSpec(name, 0.1)
    batches = [np.arange(i, i + 4) for i in (0, 4, 8)] * 10
    weights = [torch.tensor(array.copy()) for pair in initialize(ARCHITECTURE, 0).layers for array in pair]
    for weight in weights:
        weight.requires_grad_(True)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[name]
    optimizer = make(weights, lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, len(batches) + 1, cycle_momentum=False)
    for batch in batches:
        optimizer.zero_grad()
        hidden = torch.relu(torch.tensor(X[batch]) @ weights[0] + weights[1])
        logits = hidden @ weights[2] + weights[3]
        torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS[batch])).backward()  # type: ignore[no-untyped-call] # torch ships it unannotated
        optimizer.step()
        scheduler.step()
    expected = np.concatenate([weight.detach().numpy().ravel() for weight in weights])
    found = trained(spec, batches, one_cycle(len(batches) + 1))
    # Rounding alone: tens of roundings per step, not amplified in thirty steps of a tame problem.
    np.testing.assert_allclose(found, expected, rtol=0, atol=gamma(100 * len(batches), "float64"))
