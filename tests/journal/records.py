"""Records as a worker sends them, for the tests of the journal."""

from surefoot.domain.record import CallRecord


def attempt(number: int = 0, target: str = "near", kind: str = "ok", tokens: int | None = 200) -> list[object]:
    times = [0.0, 0.001, 0.2, 0.21, 1.5, None]
    return [
        number,
        target,
        "first" if number == 0 else "fallback",
        kind,
        *times,
        300,
        tokens,
        kind == "ok",
        "closed",
        "",
        {"model": "m-1"} if kind == "ok" else None,
    ]


def call(name: str = "c-1", at: float = 1_700_000_000.0, attempts: list[list[object]] | None = None) -> CallRecord:
    told = [attempt()] if attempts is None else attempts
    sizes = ["image,tools", 1_200, 5_400]
    times = [0.21, 1.5]
    law = ["eu+health", "0011223344556677"]
    return (name, at, "chat", "team", "0123456789ab", False, True, 1, 300, 0, *sizes, "ok", 0, *times, *law, told)
