"""The record of a call, as a plain tuple: cheap to make in a worker, self-describing in the journal.

A worker sends tuples in this order; the journal names the columns from here. A change of either list is a new
`VERSION`. Times are seconds since the call began, on the monotonic clock, except `at` (Unix time). None is unknown or
did not happen.
"""

VERSION = 3

CALL_FIELDS = (
    "call",            # identity, as in the header `surefoot-call`
    "at",              # Unix time of the request's arrival
    "route",
    "key",             # name of the client key; never the key
    "config",          # hash of the configuration it ran under
    "drill",           # 0, or the number of the drill's world that it ran in
    "stream",
    "bucket",          # prompt-length bucket, see `domain.request.BUCKETS`
    "prompt_tokens",   # estimate
    "max_tokens",      # what the client allows the answer to take; 0 when it does not say
    "features",        # what it needs beside text, `image,tools`; empty where no target of its route declares any
    "request_bytes",
    "answer_bytes",
    "kind",            # outcome kind of the whole call
    "winner",          # index of the attempt whose content was delivered
    "first_content",   # when the client was first sent content
    "ended",
    "jurisdiction",    # name of all that bound it: `domain.jurisdiction.Applied.name`
    "jurisdiction_version",
    "attempts",        # tuple of attempt records
)  # fmt: skip

ATTEMPT_FIELDS = (
    "number",
    "target",
    "reason",
    "kind",
    "started",         # the command was given
    "sent",            # the request was on the wire
    "heard",           # the answer's head arrived
    "first_content",
    "ended",
    "verdict",         # when it was given up or failed
    "prompt_tokens",   # as the provider counted them
    "completion_tokens",
    "won",
    "breaker",         # state of the target's breaker when it was launched
    "rules",           # why targets before it in the order were passed over: "target:rule,..."
    "evidence",        # what the answer itself said of the target's declared facts, by fact; None if nothing
)  # fmt: skip

CallRecord = tuple[object, ...]
AttemptRecord = tuple[object, ...]
