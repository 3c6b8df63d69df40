"""The plug-in that pytest finds wherever backproof is installed. It does nothing until it is asked.

    pytest --contender my_mlp.py:MyMLP      each check of `backproof check` over this class, a test of its own
    pytest --contender my_mlp.py:MyMLP --junit-xml checks.xml -k gradient

Nothing of backproof is imported before that, and no warning, marker or setting of the suite is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from backproof.testing import BoundCheck


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("backproof").addoption(
        "--contender",
        metavar="NAME",
        help="also run backproof's checks over this class: file.py:Class, package.module:Class",
    )


class CheckItem(pytest.Item):
    """One check of the class that --contender names."""

    def __init__(self, *, check: BoundCheck, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check

    def runtest(self) -> None:
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was found, without the path through backproof to it."""
        from backproof.scratch.errors import InputError

        if isinstance(excinfo.value, AssertionError | InputError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, str(self.check)


class ContenderCollector(pytest.Collector):
    """The checks of the class that --contender names."""

    def __init__(self, *, target: str, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.target = target

    def collect(self) -> Iterator[CheckItem]:
        from backproof.scratch.errors import InputError
        from backproof.testing import checks_of

        try:
            checks = checks_of(self.target)
        except InputError as error:
            raise pytest.UsageError(f"--contender: {error}") from None
        for check in checks:
            yield CheckItem.from_parent(self, name=check.name, check=check)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    target = config.getoption("--contender")
    if target and ("." in target or ":" in target):
        collector = ContenderCollector.from_parent(session, name=target, nodeid=target, target=target)
        items.extend(collector.collect())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell every class on trial which of its checks were chosen: they are run together, the others never."""
    for item in session.items:
        check = getattr(item, "check", None)
        if check is None and hasattr(item, "callspec"):
            check = item.callspec.params.get("check")
        if check is not None and type(check).__module__ == "backproof.testing":
            check.trial.wanted.add(check.name)
