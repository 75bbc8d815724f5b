import re
from pathlib import Path

import pytest
from tests.config.conftest import Faults, Load

from surefoot.config.receipts import Processing, read_processing
from surefoot.domain.receipt import ReceiptOptions
from surefoot.errors import ConfigError
from surefoot.journal.checkpoint import make_key

REST = """
[targets.a]
provider = "openai"
model = "m"
key = { env = "KEY" }
[routes.chat]
targets = ["a"]
"""


def test_without_the_table_no_receipts_are_kept(load_text: Load) -> None:
    assert load_text(REST).receipts is None


def test_an_empty_table_keeps_them_under_the_usual_name_and_requires_none(load_text: Load, tmp_path: Path) -> None:
    assert load_text(f"[receipts]\n{REST}").receipts == ReceiptOptions(str(tmp_path / "surefoot-receipts.jsonl"))


def test_all_that_can_be_said_is_read(load_text: Load, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    text = '[receipts]\npath = "r"\nkey = "key"\nrequired = true\nroom = 7\n'
    options = load_text(f'{text}checkpoint_every = 5\ncheckpoint_period = "2s"\n{REST}').receipts
    expected = ReceiptOptions(str(tmp_path / "r"), str(tmp_path / "key"), required=True, room=7, every=5, period=2.0)
    assert options == expected


def test_what_is_wrong_is_told_with_what_to_do(faults_of: Faults, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    cases = {
        '[receipts]\npath = "none/r"': "receipts.path: there is no directory",
        '[receipts]\npath = "folder"': "receipts.path: .* is a directory; name a file",
        '[receipts]\nkey = "none"': "receipts.key: .*surefoot receipts init",
        '[receipts]\nkey = "key"': "receipts.key: .* chmod 600",
        "[jurisdiction.eu.obligations]\nreceipts = true": r"jurisdiction.eu.obligations.receipts: .* \[receipts\]",
        "[receipts]\nroom = 0": "receipts.room: 0 is out of range",
        '[receipts]\nchekpoint_every = "1"': "did you mean `checkpoint_every`",
        "[receipts.processing]\npurposes = [1]": r"receipts.processing.purposes\[0\]: must be text",
    }
    for text, sentence in cases.items():
        (fault,) = faults_of(text)
        assert re.search(sentence, fault), fault


def test_the_record_of_processing_needs_no_secret_and_no_target(tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    file.write_text(
        'listeners = "wrong"\n[receipts]\npath = "r"\n'
        '[receipts.processing]\ncontroller = "Acme"\npurposes = ["support"]\n',
        encoding="utf-8",
    )
    assert read_processing(file) == (Processing(controller="Acme", purposes=("support",)), str(tmp_path / "r"))
    file.write_text("", encoding="utf-8")
    assert read_processing(file) == (Processing(), str(tmp_path / "surefoot-receipts.jsonl"))
    file.write_text("[receipts]\nprocessing = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"receipts\.processing: must be a table"):
        read_processing(file)
