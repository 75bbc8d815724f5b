"""The nouns of jurisdiction and place: nothing said binds nobody and allows nothing."""

import msgspec

from surefoot.domain.jurisdiction import ANYWHERE, Applied, Constraints, Deny, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import NOWHERE_SAID, Confirmation, Fact, Place, Subprocessor, Transfer

CLINIC = Jurisdiction(
    "clinic",
    Subjects(classes=("health",)),
    Constraints(processes=("EEA",), transfers=(Transfer.ADEQUACY,), retention=0.0),
    Deny(operators=("Example Inc.",)),
    Obligations(hedge=False, receipts=True),
)
CLINICAL = Place(
    processes=("DE",),
    operator="Example GmbH",
    transfer=Transfer.NONE,
    subprocessors=(Subprocessor("Example", "DE"),),
    confirms=(Confirmation(Fact.PROCESSES, header="x-region", means={"fra": "DE"}),),
)


def test_they_survive_the_wire_between_supervisor_and_worker() -> None:
    for noun in (CLINIC, CLINICAL, Applied("clinic", (CLINIC,))):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(noun), type=type(noun)) == noun


def test_nothing_declared_is_unknown_and_not_nowhere() -> None:
    assert all(getattr(NOWHERE_SAID, name) is None for name in ("processes", "stores", "operator", "transfer"))


def test_without_a_jurisdiction_nothing_binds() -> None:
    assert ANYWHERE.parts == ()
    assert ANYWHERE.obligations == Obligations()
