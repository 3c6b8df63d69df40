import numpy as np

from backproof.reference.record import Call, Record


def test_no_two_records_share_what_they_hold() -> None:
    first, second = Record(), Record()
    first.calls.append(Call("model", "model", "Net", -1, 0))
    first.gradients["w"] = np.ones(1)
    assert not second.calls
    assert not second.gradients
    first.calls[0].inputs.append(np.ones(1))
    assert not Call("model", "model", "Net", -1, 0).inputs
