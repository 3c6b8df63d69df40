"""How many threads the numerical libraries may use: set before they are imported, verified after.

OpenBLAS, MKL and OpenMP read their variables once, when they are loaded. This module imports none of them.
"""

import os

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def variables(n_threads: int) -> dict[str, str]:
    """What tells every library its number of threads, for the environment of a process to come."""
    return dict.fromkeys(VARIABLES, str(n_threads))


def limit(n_threads: int) -> None:
    """Let this process and those it starts use `n_threads` threads per library.

    Libraries loaded already are told as well; those to come read the variables.
    """
    os.environ.update(variables(n_threads))
    import threadpoolctl

    threadpoolctl.threadpool_limits(n_threads)


def pools() -> dict[str, int]:
    """What the loaded libraries really use: library name -> threads."""
    import threadpoolctl

    return {pool["internal_api"]: int(pool["num_threads"]) for pool in threadpoolctl.threadpool_info()}
