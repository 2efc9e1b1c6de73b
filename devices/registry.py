"""Every protocol that the terminal speaks with an acceptor: one line each, loaded when it is used."""

from importlib import import_module
from typing import Literal, cast

from msgspec import Struct

from devices.driver import Driver
from devices.simulator import BillSimulator, CoinSimulator
from devices.words import Words


class Protocol(Struct, frozen=True):
    """Where a protocol's driver, its simulated peripheral and its plain words are."""

    title: str
    takes: Literal["notes", "coins"]
    driver_at: str
    simulator_at: str
    words_at: str
    encrypted: bool = False

    def driver(self) -> type[Driver]:
        """The driver's class."""
        return cast("type[Driver]", _load(self.driver_at))

    def words(self) -> Words:
        """Somebody who tells in words what goes over a line."""
        return cast("type[Words]", _load(self.words_at))()

    def simulator(self) -> type[BillSimulator | CoinSimulator]:
        """The simulator's class; only benches and tests ask for it."""
        return cast("type[BillSimulator | CoinSimulator]", _load(self.simulator_at))


PROTOCOLS = {
    "ccnet": Protocol(
        "CCNET",
        "notes",
        "devices.ccnet.driver:CcnetDriver",
        "devices.ccnet.sim:CcnetSimulator",
        "devices.ccnet.words:CcnetWords",
    ),
    "ebds": Protocol(
        "EBDS",
        "notes",
        "devices.ebds.driver:EbdsDriver",
        "devices.ebds.sim:EbdsSimulator",
        "devices.ebds.words:EbdsWords",
    ),
    "ict": Protocol(
        "ICT", "notes", "devices.ict.driver:IctDriver", "devices.ict.sim:IctSimulator", "devices.ict.words:IctWords"
    ),
    "ssp": Protocol(
        "SSP", "notes", "devices.ssp.driver:SspDriver", "devices.ssp.sim:SspSimulator", "devices.ssp.words:SspWords"
    ),
    "essp": Protocol(
        "eSSP",
        "notes",
        "devices.ssp.driver:EsspDriver",
        "devices.ssp.sim:EsspSimulator",
        "devices.ssp.words:SspWords",
        encrypted=True,
    ),
    "id003": Protocol(
        "ID-003",
        "notes",
        "devices.id003.driver:Id003Driver",
        "devices.id003.sim:Id003Simulator",
        "devices.id003.words:Id003Words",
    ),
    "cctalk": Protocol(
        "ccTalk coins",
        "coins",
        "devices.cctalk.coins:CctalkCoinDriver",
        "devices.cctalk.coins_sim:CctalkCoinSimulator",
        "devices.cctalk.words:CctalkWords",
    ),
    "cctalk-bills": Protocol(
        "ccTalk bills",
        "notes",
        "devices.cctalk.bills:CctalkBillDriver",
        "devices.cctalk.bills_sim:CctalkBillSimulator",
        "devices.cctalk.words:CctalkWords",
    ),
}


def _load(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
