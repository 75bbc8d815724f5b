"""A page of docs whose middle is made by a benchmark: what stands between two markers is written anew.

Must never: touch what people wrote around it.
"""


def between(page: str, begin: str, end: str, text: str) -> str:
    """The page with this text between its markers. Raises `ValueError` where a marker is missing."""
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"the page has no markers {begin.strip()} and {end.strip()}")
    return f"{before}{begin}{text}{end}{after}"
