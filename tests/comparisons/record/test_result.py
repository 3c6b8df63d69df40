"""A record goes through results.json and comes back as it was."""

from backproof.comparisons.record.result import RecordResult
from backproof.comparisons.results.codec import decode, encode
from tests.support.record_results import record


def test_a_record_comes_back_from_json() -> None:
    assert decode(RecordResult, encode(record())) == record()
