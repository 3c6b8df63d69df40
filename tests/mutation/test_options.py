from tests.mutation.mutants import mutants
from tests.mutation.options import may_be_left_out


def test_an_option_of_the_project_may_be_left_out_where_its_parameter_has_a_default() -> None:
    assert may_be_left_out("fit", "on_step")
    assert not may_be_left_out("fit", "plan")


def test_of_numpy_only_options_that_change_what_is_computed_are_left_out() -> None:
    source = "y = x.mean(axis=0, out=y)\n"
    found = [one.what for one in mutants("m.py", source) if one.operator == "option"]
    assert found == ["axis not passed on"]
