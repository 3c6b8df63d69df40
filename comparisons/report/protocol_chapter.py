"""How the numbers came about: the exact commands, the plan, the machine and its versions."""

from collections.abc import Iterator

from backproof.comparisons.drawing import formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.experiment import Planned
from backproof.comparisons.report.document import Results
from backproof.comparisons.running.environment import Environment
from backproof.scratch.architecture import Architecture, OptimizerSpec

Fact = tuple[str, str]


def build(results: Results) -> Section:
    """Always there: a figure without its protocol says nothing."""
    tables: list[tuple[str, list[Fact]]] = []
    if results.plan is not None:
        tables.append(("Plan", _plan(results.plan)))
    if results.environment is not None:
        tables.append(("Environment", _environment(results.environment)))
    html = markup.from_template(
        "backproof.comparisons.report", "protocol.html.j2", commands=list(commands(results)), tables=tables
    )
    return Section("protocol", "How it was measured", html, nav="Protocol")


def commands(results: Results) -> Iterator[tuple[str, str, str]]:
    """(parts, command line, when it finished): one line per command, whatever number of parts it made."""
    parts: dict[tuple[str, str], list[str]] = {}
    for name, run in results.runs.items():
        parts.setdefault((run.command, run.finished[:10]), []).append(name.replace("_", " "))
    for (line, when), names in parts.items():
        yield formats.listed(names), line, when
    if not results.runs and results.plan is not None:
        yield "main job", results.plan.command, ""


def _plan(plan: Planned) -> list[Fact]:
    return [
        ("dataset", f"{plan.dataset.source} (SHA-256 {plan.dataset.sha256[:16]}…)"),
        ("architecture", network(plan.architecture)),
        ("contenders", ", ".join(map(formats.label, plan.contenders))),
        ("seeds", ", ".join(map(str, plan.seeds))),
        ("epochs", str(plan.epochs)),
        ("batch size", str(plan.batch_size)),
        ("optimizer", optimizer(plan.optimizer)),
        ("margin", f"{plan.margin_points:g} percentage points"),
        ("threads", str(plan.threads)),
        ("quick", "yes" if plan.quick else "no"),
    ]


def _environment(environment: Environment) -> list[Fact]:
    memory = environment.memory_gib
    packages = [f"{name} {version}" for name, version in environment.packages.items()]
    pools = [f"{name} {threads}" for name, threads in environment.thread_pools.items()]
    return [
        ("backproof", environment.backproof),
        ("python", environment.python),
        ("platform", environment.platform),
        ("processor", environment.processor),
        ("cores", str(environment.cores)),
        ("memory", formats.ABSENT if memory is None else f"{memory:g} GiB"),
        ("packages", ", ".join(packages) or formats.ABSENT),
        ("threads per library", ", ".join(pools) or formats.ABSENT),
        ("byte order", environment.byte_order),
        ("date", environment.date),
    ]


def network(architecture: Architecture) -> str:
    """``784-128-10 relu, cross_entropy, float32``."""
    sizes = formats.layers(architecture.layer_sizes)
    return f"{sizes} {architecture.activation}, {architecture.loss}, {architecture.dtype}"


def optimizer(spec: OptimizerSpec) -> str:
    """The rule with the constants that it uses: ``sgd, learning rate 0.1, momentum 0.9``."""
    used = {
        "sgd": ("learning_rate", "momentum", "nesterov", "weight_decay"),
        "adam": ("learning_rate", "beta1", "beta2", "eps", "weight_decay"),
    }[spec.name]
    said: list[str] = [spec.name]
    for name in used:
        value = getattr(spec, name)
        if value:
            said.append(name if value is True else f"{name.replace('_', ' ')} {value:g}")
    return ", ".join(said)
