"""The folder that results shall be kept in: whether they can is seen before the work, not after it.

Must never: write over anything.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile

from surefoot.errors import StartError


def make_writable(out: Path) -> None:
    """See that files can be written to the folder, which is made if need be. Raises `StartError` with what to do."""
    try:
        existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
        if not existing.is_dir():
            raise StartError(f"--out: {existing} is a file, not a folder; name another folder or move the file away")
        out.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=out, prefix=".writable-"):
            pass
    except OSError as error:
        raise StartError(f"--out: {out} cannot be written: {error.strerror}; name a folder that can be") from error
