"""The zoo: classes with one mistake each, and what the suite and other checkers make of them."""
