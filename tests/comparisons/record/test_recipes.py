"""The recipes: each of its board, and the published results of both boards."""

from backproof.comparisons.record.recipes import BOARDS, CANDIDATES, GOALS, PUBLISHED, RECIPES


def test_a_recipe_a_goal_and_candidates_stand_for_every_board() -> None:
    assert set(RECIPES) == set(GOALS) == set(CANDIDATES) == set(BOARDS)


def test_candidates_belong_to_their_board_and_only_one_board_knows_the_plane() -> None:
    for board, candidates in CANDIDATES.items():
        for recipe in candidates.values():
            assert recipe.board == board
            assert (recipe.distortion is not None) == (board == "distortion")


def test_the_published_table_holds_results_of_both_boards_and_of_nothing_else() -> None:
    assert {entry.board for entry in PUBLISHED} == set(BOARDS) == set(GOALS)
    assert all(0 < entry.error_percent < 100 for entry in PUBLISHED)
