import pytest

from surefoot.intake.failing import kind_told, status_in


@pytest.mark.parametrize(
    ("status", "exception", "message", "kind"),
    [
        (429, "RateLimitError", None, "rate_limit"),
        (429, "RateLimitError", "Error code: 429 - {'error': {'code': 'insufficient_quota'}}", "quota_exhausted"),
        (None, None, 'Error code: 429 - {"error": {"type": "insufficient_quota"}}', "quota_exhausted"),
        (429, "insufficient_quota", None, "quota_exhausted"),
        (408, "litellm.exceptions.Timeout", None, "silence"),
        (400, "ContextWindowExceededError", None, "context_overflow"),
        (400, "BadRequestError", None, "bad_request"),
        (529, "InternalServerError", None, "overload"),
        (500, "APIConnectionError", "anything", None),
        (499, None, None, "client_gone"),
        (None, "openai.RateLimitError", None, "rate_limit"),
        (None, None, "Error code: 503 - {}", "overload"),
        (200, "SomethingElse", None, None),
        (None, None, None, None),
    ],
)
def test_a_kind_comes_from_what_tells_most(
    status: int | None, exception: str | None, message: str | None, kind: str | None
) -> None:
    assert kind_told(status, exception, message) == kind


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Error code: 429 - {'error': {}}", 429),
        ("status_code=503, model_name: x", 503),
        ("Error 500", 500),
        ("it took 450 tokens", None),
        ("status: 4290", None),
        ("status 200", None),
        (None, None),
    ],
)
def test_a_status_is_read_where_a_message_names_one(message: str | None, status: int | None) -> None:
    assert status_in(message) == status
