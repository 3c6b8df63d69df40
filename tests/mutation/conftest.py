"""One copy of the checkout for all tests of a process: it is as it was after every mistake."""

from collections.abc import Iterator

import pytest

from tests.mutation.trees import Tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    made = Tree(tmp_path_factory.mktemp("mutation"))
    yield made
    made.close()
