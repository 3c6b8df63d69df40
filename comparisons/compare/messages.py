"""What is said between compare and the process of a model: the records of its messages, and their check."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backproof.comparisons.contenders.telling import RECORDS
from backproof.comparisons.running.outside_text import cleaned
from backproof.reference.record import Call, Record, Task

MESSAGES: Mapping[str, type] = {**RECORDS, "Call": Call, "Record": Record, "Task": Task}


def is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)


def checked(found: Any) -> Record | None:
    """The record with its texts cleaned; None where it is not one."""
    if not isinstance(found, Record) or not isinstance(found.calls, list):
        return None
    named = (found.parameters, found.gradients, found.buffers, found.stepped)
    if not all(_are_arrays(some, str) for some in named) or not all(_is_call(one) for one in found.calls):
        return None
    if found.loss is not None and not is_array(found.loss):
        return None
    for i, call in enumerate(found.calls):
        if not -1 <= call.parent < i:
            return None
        call.name, call.path, call.kind = cleaned(call.name), cleaned(call.path), cleaned(call.kind)
    found.raised = cleaned(str(found.raised))
    found.notes = [cleaned(text) for text in found.notes if isinstance(text, str)]
    return found


def _are_arrays(some: Any, key: type) -> bool:
    return isinstance(some, dict) and all(isinstance(k, key) and is_array(v) for k, v in some.items())


def _is_call(call: Any) -> bool:
    if not isinstance(call, Call):
        return False
    texts = all(isinstance(text, str) for text in (call.name, call.path, call.kind))
    numbers = type(call.parent) is int and type(call.n_parameters) is int
    lists = all(isinstance(some, list) and all(map(is_array, some)) for some in (call.inputs, call.outputs))
    gradients = (call.input_gradients, call.output_gradients)
    return texts and numbers and lists and all(_are_arrays(some, int) for some in gradients)
