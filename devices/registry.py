"""Every protocol that the terminal speaks with an acceptor: one line each, loaded when it is used."""

from importlib import import_module
from typing import Literal, cast

from msgspec import Struct

from devices.driver import Driver
from devices.simulator import Simulator


class Protocol(Struct, frozen=True):
    """Where a protocol's driver and its simulated peripheral are."""

    title: str
    takes: Literal["notes", "coins"]
    driver_at: str
    simulator_at: str

    def driver(self) -> type[Driver]:
        """The driver's class."""
        return cast("type[Driver]", _load(self.driver_at))

    def simulator(self) -> type[Simulator]:
        """The simulator's class; only benches and tests ask for it."""
        return cast("type[Simulator]", _load(self.simulator_at))


PROTOCOLS = {
    "ccnet": Protocol("CCNET", "notes", "devices.ccnet.driver:CcnetDriver", "devices.ccnet.sim:CcnetSimulator"),
    "ebds": Protocol("EBDS", "notes", "devices.ebds.driver:EbdsDriver", "devices.ebds.sim:EbdsSimulator"),
    "ict": Protocol("ICT", "notes", "devices.ict.driver:IctDriver", "devices.ict.sim:IctSimulator"),
    "ssp": Protocol("SSP", "notes", "devices.ssp.driver:SspDriver", "devices.ssp.sim:SspSimulator"),
    "essp": Protocol("eSSP", "notes", "devices.ssp.driver:EsspDriver", "devices.ssp.sim:EsspSimulator"),
    "id003": Protocol("ID-003", "notes", "devices.id003.driver:Id003Driver", "devices.id003.sim:Id003Simulator"),
    "cctalk": Protocol(
        "ccTalk coins", "coins", "devices.cctalk.coins:CctalkCoinDriver", "devices.cctalk.coins_sim:CctalkCoinSimulator"
    ),
    "cctalk-bills": Protocol(
        "ccTalk bills", "notes", "devices.cctalk.bills:CctalkBillDriver", "devices.cctalk.bills_sim:CctalkBillSimulator"
    ),
}


def _load(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
