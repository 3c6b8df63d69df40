"""Causes of a wrong loss: a law of scale, or a largest value that gives a clipped probability away."""

from collections.abc import Sequence

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import Observation, only_where
from backproof.comparisons.check.diagnosis.wrong_scales import LAWS


def loss_causes(seen: Sequence[Observation]) -> list[str]:
    wrong = [o for o in seen if o.loss_wrong and np.isfinite(o.loss)]
    endless = [o for o in seen if not np.isfinite(o.loss)]
    causes = []
    if endless:
        where = only_where(endless, [o for o in seen if np.isfinite(o.loss)])
        causes.append(f"the loss overflows or takes the logarithm of zero{f' ({where})' if where else ''}")
    if not wrong:
        return causes
    where = only_where(wrong, [o for o in seen if not o.loss_wrong])
    tail = f" ({where})" if where else ""
    ratios = [(o.loss / float(o.reference.loss.value), o) for o in wrong if o.reference.loss.value]
    for sentence, law in LAWS[:10]:
        if all(
            np.isclose(r, law(o.case.batch_size, o.case.architecture.n_outputs), rtol=1e-9) for r, o in ratios
        ):
            return [*causes, f"the loss is {sentence}{tail}"]
    if all(o.loss < float(o.reference.loss.value) for o in wrong) and not any(
        o.gradient_wrong for o in wrong
    ):
        causes.append(
            "the loss is too small, the gradient is right: a constant inside the logarithm, log(p + eps)?"
            + tail
        )
    elif all(o.loss < float(o.reference.loss.value) for o in wrong) and "saturated" in where:
        causes.append("large logits are clipped or capped: the loss is too small there" + tail)
    else:
        causes.append("the loss is wrong" + tail)
    return causes
