"""Settings every test shares: Hypothesis profiles, one thread, and where the real MNIST files are."""

import os

# Before NumPy and torch are imported: small products are fastest on one thread, and threads that wait for
# each other on a busy machine are slowest of all.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.support import shapes

# Before any of them is imported: every call of theirs is held to the shapes in its types.
shapes.install("backproof.scratch", "backproof.reference", "backproof.comparisons.verdicts")

import pytest  # noqa: E402 - after the shapes
from hypothesis import HealthCheck, Phase, settings  # noqa: E402 - after the shapes

# dev: quick feedback. ci: what every submission must pass. campaign: by hand, thousands of examples.
_COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("dev", _COMMON, max_examples=20)
settings.register_profile("ci", _COMMON, max_examples=60, derandomize=True, print_blob=True)
settings.register_profile("campaign", _COMMON, max_examples=5000)
# Mistakes planted by tests.mutation: whether a test fails is all that counts, and it must fail again.
_MUTATION = settings(_COMMON, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate))
settings.register_profile("mutation", _MUTATION, max_examples=20)
settings.register_profile("mutation_thorough", _MUTATION, max_examples=60)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Here the option of the plug-in means the contract alone, over a known name too.
    if config.getoption("--contender"):
        others = [item for item in items if item.get_closest_marker("contract") is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("contract") is not None]
    if os.environ.get("BACKPROOF_DATA"):
        return
    skip = pytest.mark.skip(reason="needs the real MNIST files: set BACKPROOF_DATA to their folder")
    for item in items:
        if item.get_closest_marker("mnist"):
            item.add_marker(skip)
