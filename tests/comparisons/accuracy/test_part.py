"""The accuracy comparison: right contenders pass all levels, every flaw is seen by the level made for it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.accuracy import levels as accuracy_levels
from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy import trajectory
from backproof.comparisons.accuracy.unit import Setting, all_batches, packed, sha256, train_unit, unpacked
from backproof.comparisons.experiment import Plan
from backproof.comparisons.report.document import load
from backproof.comparisons.report.write import merge
from backproof.comparisons.running.progress import Silent
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.errors import InputError

MODULE = "tests.support.accuracy_contenders"
PLAN = Plan(
    contenders=("scratch", f"{MODULE}:Faithful"),
    data="digits",
    layer_sizes=(64, 16, 10),
    n_seeds=3,
    epochs=2,
    optimizer=OptimizerSpec("sgd", 0.1),
)


def run(*names, **changes):
    plan = replace(PLAN, contenders=tuple(f"{MODULE}:{name}" for name in names), **changes)
    return accuracy.run(plan, Silent())


def only(part):
    (entry,) = part["against_scratch"].values()
    return entry


@pytest.fixture(scope="module")
def faithful():
    return run("Faithful")


@pytest.fixture(scope="module")
def torch_part():
    return accuracy.run(replace(PLAN, contenders=("torch",)), Silent())


# --- the four levels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["hashes", "one_step", "trajectory"])
def test_a_correct_contender_passes_every_level(faithful, level):
    assert only(faithful)[level]["verdict"] == "PASS"


def test_torch_trains_as_scratch_does_on_every_level(torch_part):
    entry = only(torch_part)
    assert [entry[level]["verdict"] for level in ("hashes", "one_step", "trajectory")] == ["PASS"] * 3


def test_other_initial_weights_are_seen_by_the_hashes():
    hashes = only(run("OtherStart"))["hashes"]
    assert (hashes["verdict"], hashes["unequal"]) == ("FAIL", ["initial_weights"])


def test_a_gradient_wrong_by_one_part_in_a_billion_is_seen_in_one_step():
    step = only(run("GradientOff"))["one_step"]
    assert step["checks"]["gradient"]["outcome"] == step["verdict"] == "FAIL"
    assert step["checks"]["logits"]["outcome"] == step["checks"]["loss"]["outcome"] == "PASS"


def test_a_mistake_in_training_alone_is_seen_in_the_trajectory():
    entry = only(run("DecayInTraining"))
    assert [entry[level]["verdict"] for level in ("hashes", "one_step", "trajectory")] == [
        "PASS",
        "PASS",
        "FAIL",
    ]


def test_wrong_answers_are_a_different_accuracy():
    entry = only(run("WorseAnswers", n_seeds=5))
    assert (entry["outcome"], entry["verdict"]) == ("different", "FAIL")
    assert entry["difference_points"] < -PLAN.margin_points


@pytest.mark.parametrize("flaw", ["OtherStart", "GradientOff", "DecayInTraining", "WorseAnswers"])
def test_the_part_fails_when_any_level_of_any_contender_does(flaw):
    assert run("Faithful", flaw, n_seeds=5)["verdict"] == "FAIL"


def test_one_seed_leaves_the_accuracy_undecided():
    part = run("Faithful", n_seeds=1)
    assert (part["verdict"], only(part)["outcome"], only(part)["ci90"]) == ("INCONCLUSIVE", "undecided", None)


# --- contenders that lack something ------------------------------------------------------------------------


def test_a_contender_that_cannot_train_becomes_a_cell_with_the_reason():
    part = run("NoTraining")
    assert part["contenders"][f"{MODULE}:NoTraining"] == {"not_offered": "it only predicts"}
    assert only(part)["not_offered"] == "it only predicts"


def test_a_contender_that_cannot_train_does_not_spoil_the_others(faithful):
    part = run("Faithful", "NoTraining")
    assert part["verdict"] == faithful["verdict"]


def test_a_contender_without_a_gradient_is_compared_on_the_rest():
    entry = only(run("NoGradient"))
    assert entry["one_step"]["verdict"] == entry["trajectory"]["verdict"] == "PASS"
    assert entry["one_step"]["not_offered_checks"] == {"loss and gradient": "its gradient is not public"}


# --- the record of a unit ----------------------------------------------------------------------------------


def without_clock(part):
    part = {**part, "seconds": None}
    part["contenders"] = {name: {**entry, "seconds": None} for name, entry in part["contenders"].items()}
    return part


def test_the_same_seed_gives_the_same_accuracies_and_losses_bit_for_bit(faithful):
    assert without_clock(run("Faithful")) == without_clock(faithful)


def test_another_seed_gives_others(faithful):
    other = run("Faithful", seed=10)["contenders"]["scratch"]
    assert other["train_loss"] != faithful["contenders"]["scratch"]["train_loss"]


def test_accuracies_and_losses_are_there_for_every_seed_and_epoch(faithful):
    for entry in faithful["contenders"].values():
        for key in ("train_loss", "test_accuracy_epochs"):
            assert np.shape(entry[key]) == (PLAN.n_seeds, PLAN.epochs)
        assert entry["test_accuracy"] == [epochs[-1] for epochs in entry["test_accuracy_epochs"]]
        assert min(entry["seconds"]) > 0


def test_the_reported_accuracy_is_that_of_the_networks_answers(monkeypatch):
    """Evaluated once more by hand, from the weights a fresh contender has after the same training."""
    from backproof.comparisons.contenders.scratch_mlp import ScratchMLP

    setting, data = Setting.from_plan(PLAN), PLAN.dataset()
    record = train_unit(setting, data, "scratch", seed=5)
    network = ScratchMLP()
    network.load(setting.architecture, accuracy_levels.initial_weights(setting.architecture, 5))
    batches = all_batches(len(data.train_labels), setting.batch_size, setting.epochs, 5)
    losses = network.train(data.train_images, data.train_labels, batches, setting.optimizer)
    answers = network.logits(data.test_images).argmax(axis=1)
    assert record["test_accuracy"][-1] == np.mean(answers == data.test_labels)
    np.testing.assert_array_equal(
        unpacked(record["correct"], len(data.test_labels)), answers == data.test_labels
    )
    sizes = np.array([len(batch) for batch in batches[: len(batches) // 2]])
    first_epoch = np.array(losses[: len(sizes)]) @ sizes / sizes.sum()
    np.testing.assert_allclose(record["train_loss"][0], first_epoch, rtol=1e-12)


def test_differences_are_contender_minus_scratch(torch_part):
    ours, theirs = (torch_part["contenders"][name]["test_accuracy"] for name in ("scratch", "torch"))
    expected = 100 * (np.array(theirs) - np.array(ours))
    np.testing.assert_allclose(only(torch_part)["differences_points"], expected, rtol=0, atol=1e-12)


def test_discordant_images_account_for_every_difference(torch_part):
    entry, n = only(torch_part), torch_part["n_test"]
    found = [100 * (row["only_contender"] - row["only_scratch"]) / n for row in entry["mcnemar"]]
    np.testing.assert_allclose(found, entry["differences_points"], rtol=0, atol=1e-9)


def test_the_part_goes_through_results_json(tmp_path, faithful):
    merge(tmp_path, "backproof accuracy", accuracy=faithful)
    kept = load(tmp_path / "results.json").accuracy
    assert kept == json.loads(json.dumps(faithful))


def test_an_extra_is_kept_beside_a_part_and_alone(tmp_path, faithful):
    alone = accuracy.with_extra(str(tmp_path), "record", {"verdict": "PASS"})
    assert (alone["contenders"], alone["record"]) == ({}, {"verdict": "PASS"})
    merge(tmp_path, "backproof accuracy", accuracy=faithful)
    beside = accuracy.with_extra(str(tmp_path), "record", {"verdict": "PASS"})
    assert beside == {"record": {"verdict": "PASS"}}


@pytest.mark.parametrize("n", [1, 7, 8, 9, 355])
def test_packed_bits_come_back(n):
    bits = np.random.default_rng(n).random(n) < 0.5
    np.testing.assert_array_equal(unpacked(packed(bits), n), bits)


@pytest.mark.parametrize(
    "other",
    [np.array([[1.0, 2.0]]), np.array([1.0, 2.0], np.float32), np.array([2.0, 1.0]), np.array([1.0])],
)
def test_the_hash_sees_values_shape_and_dtype(other):
    assert sha256(np.array([1.0, 2.0])) != sha256(other)


def test_every_contender_is_given_the_same_batches_and_none_can_change_them():
    first, second = (all_batches(50, 8, 2, seed=3) for _ in range(2))
    assert sha256(*first) == sha256(*second)
    with pytest.raises(ValueError, match="read-only"):
        first[0][0] = 1


def test_an_unknown_contender_is_refused_before_anything_runs():
    with pytest.raises(InputError, match=r"^contender: expected one of"):
        replace(PLAN, contenders=("caffe",))


# --- the trajectory ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course():
    return accuracy_levels.make_course(Setting.from_plan(PLAN), PLAN.dataset(), seed=0, steps=None)


@pytest.fixture(scope="module")
def ours(course):
    return trajectory.record(course, "scratch")


def test_a_course_is_one_epoch_in_float64_with_the_short_last_batch(course):
    assert course.images.dtype == np.float64
    assert sorted(np.concatenate(course.batches)) == list(range(len(course.labels)))


def test_permuted_batches_hold_the_same_rows_in_another_order(course):
    other = trajectory.permuted(course.batches, seed=0)
    assert all(sorted(a) == sorted(b) for a, b in zip(course.batches, other, strict=True))
    assert any(np.any(a != b) for a, b in zip(course.batches, other, strict=True))


def test_a_trajectory_does_not_differ_from_itself(ours):
    assert {trajectory.scaled_difference(ours, ours, step) for step in ours.weights} == {0.0}
    assert trajectory.first_flip(ours, ours) is None


def changed(ours, step, change):
    """A copy in which the first weights after `step` steps are changed."""
    weights = {k: [array.copy() for array in tensors] for k, tensors in ours.weights.items()}
    change(weights[step][0])
    return trajectory.Trajectory(list(ours.losses), weights, ours.masks)


def test_the_scaled_difference_is_relative_to_the_tensors_largest_entry(ours):
    step = max(ours.weights)

    def add(weight):
        weight[0, 0] += 1e-6 * np.abs(weight).max()

    found = trajectory.scaled_difference(ours, changed(ours, step, add), step)
    np.testing.assert_allclose(found, 1e-6, rtol=1e-6)


def test_a_trajectory_that_is_not_finite_is_infinitely_far(ours):
    step = max(ours.weights)
    broken = changed(ours, step, lambda weight: weight.fill(np.nan))
    assert trajectory.scaled_difference(ours, broken, step) == np.inf


def test_a_wrong_loss_is_a_difference_although_the_weights_agree(ours):
    other = trajectory.Trajectory([loss * (1 + 1e-3) for loss in ours.losses], ours.weights, ours.masks)
    assert trajectory.scaled_difference(ours, other, 0) == pytest.approx(1e-3)


def flipped(ours, step):
    """A copy in which one hidden unit of one row is on instead of off, before step `step` (from 1)."""
    masks = [[layer.copy() for layer in layers] for layers in ours.masks]
    masks[step - 1][0][2, 0] ^= 0b0001_0000
    return trajectory.Trajectory(ours.losses, ours.weights, masks)


def test_the_first_flip_is_named_by_step_layer_row_and_unit(ours):
    expected = {"step": 4, "layer": 1, "row": 2, "unit": 3}
    assert trajectory.first_flip(ours, flipped(ours, 4)) == expected


def test_steps_from_the_first_flip_on_are_not_compared(ours):
    """All weights after the flip are wrong, and it does not count; the same without the flip does."""
    last = max(ours.weights)
    wrong = changed(ours, last, lambda weight: weight.fill(7.0))
    late = trajectory.Trajectory(wrong.losses, wrong.weights, flipped(ours, last - 1).masks)
    control = [(ours, ours)]
    found = trajectory.compare(ours, late, control)
    assert (found["verdict"], found["steps_compared"]) == ("PASS", last - 2)
    assert trajectory.compare(ours, wrong, control)["verdict"] == "FAIL"


def test_an_early_flip_is_inconclusive_and_says_so(ours):
    found = trajectory.compare(ours, flipped(ours, 2), [(ours, ours)])
    assert found["verdict"] == "INCONCLUSIVE"
    assert "relu flipped at step 2" in found["reason"]


def test_a_difference_before_an_early_flip_still_fails(ours):
    wrong = changed(ours, 0, lambda weight: weight.fill(7.0))
    both = trajectory.Trajectory(wrong.losses, wrong.weights, flipped(ours, 3).masks)
    assert trajectory.compare(ours, both, [(ours, ours)])["verdict"] == "FAIL"


@pytest.mark.parametrize(("ratio", "verdict"), [(9.9, "PASS"), (10.1, "FAIL")])
def test_ten_times_the_control_is_the_limit(ours, ratio, verdict):
    step = max(ours.weights)

    def off_by(size):
        def add(weight):
            weight[0, 0] += size * np.abs(weight).max()

        return changed(ours, step, add)

    control = [(ours, off_by(1e-9))]
    assert trajectory.compare(ours, off_by(ratio * 1e-9), control)["verdict"] == verdict


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_a_network_without_relus_has_no_flips_and_is_compared_to_the_end(activation):
    setting = Setting.from_plan(PLAN)
    setting = replace(setting, architecture=replace(setting.architecture, activation=activation))
    course = accuracy_levels.make_course(setting, PLAN.dataset(), seed=0, steps=5)
    first, second = trajectory.record(course, "scratch"), trajectory.record(course, f"{MODULE}:Faithful")
    found = trajectory.compare(first, second, [(first, second)])
    assert (found["first_flip"], found["steps_compared"], found["verdict"]) == (None, 5, "PASS")


@pytest.mark.mnist
def test_an_epoch_of_mnist_in_float64_is_the_same_course_in_torch():
    plan = Plan(contenders=("torch",), data="mnist")
    course = accuracy_levels.make_course(Setting.from_plan(plan), plan.dataset(), seed=0, steps=60)
    torch_run = trajectory.record(course, "torch")
    control = trajectory.record(course, "torch", trajectory.permuted(course.batches, 0))
    found = trajectory.compare(trajectory.record(course, "scratch"), torch_run, [(torch_run, control)])
    assert found["verdict"] == "PASS"
