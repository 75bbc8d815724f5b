"""A certificate for the loopback and the authority that signed it, made anew for each run.

Knows: trustme. Must never: outlive the folder it is written to.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of a server certificate, its key and the authority that signed it."""

    ca: Path
    chain: Path
    key: Path


def issue(folder: Path) -> Certificate:
    """Write all three into `folder`."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    made = Certificate(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(made.ca))
    issued.private_key_pem.write_to_path(str(made.key))
    made.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    return made
