"""Its tables."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from appliance.contract.kinds import Code, Day, Decimals, Line, Moment, Name, Note, Refers, Rupiah, Share, YesNo
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.store.tables import master_tables, metadata


class Size(Enum):
    """A choice that is an enumeration."""

    SMALL = "small"
    LARGE = "large"


@record
class Group:
    """Groups stand in groups."""

    code: Code
    inside: Annotated[Code, Refers("groups")] | None = None


@record
class Good:
    """One of each kind."""

    code: Code
    name: Name
    maker: Line | None = None
    note: Note | None = None
    group: Annotated[Code, Refers("groups")] | None = None
    price: Rupiah
    discount: Share = 0
    weight: Decimals | None = None
    since: Day | None = None
    seen: Moment | None = None
    fragile: YesNo = False
    size: Size | None = None
    state: Literal["new", "used", "broken"] = "new"
    tags: tuple[Name, ...] = ()


CLERK = frozenset({"clerk"})
METADATA = metadata()
MASTER_DATA = (
    MasterData(name="groups", record=Group, key="code", see=CLERK, change=CLERK),
    MasterData(name="goods", record=Good, key="code", see=CLERK, change=CLERK, unique=(("name", "maker"),)),
)
MASTER = master_tables("shop", MASTER_DATA, METADATA)
GROUPS, GOODS = MASTER["groups"], MASTER["goods"]
