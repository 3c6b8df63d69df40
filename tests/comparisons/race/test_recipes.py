"""The table of targets: one recipe each, its candidates beside it, one of them with distortions."""

from backproof.comparisons.race.recipes import CANDIDATES, TARGETS


def test_a_target_stands_under_its_own_name_and_its_name_is_its_accuracy() -> None:
    for name, target in TARGETS.items():
        assert target.name == name
        assert float(name) / 100 == target.accuracy


def test_targets_come_in_order_of_accuracy_and_of_time() -> None:
    found = list(TARGETS.values())
    assert found == sorted(found, key=lambda target: target.accuracy)
    assert found == sorted(found, key=lambda target: target.seconds)


def test_every_target_has_candidates_and_the_chosen_one_is_among_them() -> None:
    assert set(CANDIDATES) == set(TARGETS)
    for name, recipes in CANDIDATES.items():
        assert recipes["chosen"] == TARGETS[name].recipe
        assert len(set(recipes.values())) == len(recipes) > 1


def test_distortions_are_for_the_last_target_alone() -> None:
    for name, recipes in CANDIDATES.items():
        assert {recipe.distortion is not None for recipe in recipes.values()} == {name == "99"}
