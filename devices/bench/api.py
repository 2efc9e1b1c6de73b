"""The bench over HTTP: each route is a look at the machine, or one thing that a hand can do to it. See README.md."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from devices.bench.line_faults import LineFaults
from devices.bench.machine import Machine
from devices.bench.station import RefusedError, State, Station
from devices.mechanism import Phase
from kiosk.ports.fault import Fault

PAGE = Path(__file__).parent / "page"
LOOK_EVERY_S = 0.1  # how often the page hears what changed
BODY_MAX = 4096
NUMBER_MAX = 18  # digits of a line's number
CALLED = ["127.0.0.1", "localhost"]  # another name in a request means that a foreign page sent it

T = TypeVar("T", bound=Struct)


Deed = Callable[[Station, bytes], bool]  # with what came with the request; did the machine go along?
Handler = Callable[[Request], Awaitable[Response]]


class Problem(Struct, frozen=True):
    """Why a request came to nothing, and what helps."""

    problem: str
    remedy: str


class Done(Struct, frozen=True):
    """Whether the machine went along, and how the device is now."""

    done: bool
    device: State


class Insert(Struct, frozen=True, forbid_unknown_fields=True):
    """A note or a coin, as a plain number."""

    amount: str


class Broken(Struct, frozen=True, forbid_unknown_fields=True):
    """When a fault comes: now, or with the next piece."""

    at_next: bool = False


class Switch(Struct, frozen=True, forbid_unknown_fields=True):
    """On or off; in or out."""

    on: bool


class Power(Struct, frozen=True, forbid_unknown_fields=True):
    """Power now, or its end in the middle of a phase."""

    on: bool | None = None
    cut_in: Phase | None = None


class Api:
    """What the routes do."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def app(self) -> Starlette:
        """All of it, the page included."""
        device = "/api/devices/{name}"
        return Starlette(
            routes=[
                Route("/api/machine", self._picture, methods=["GET"]),
                Route("/api/machine/power", self._machine_power, methods=["PUT"]),
                Route("/api/log", self._log, methods=["GET"]),
                Route("/api/events", self._events, methods=["GET"]),
                Route(device, self._device(lambda _station, _body: True), methods=["GET"]),
                Route(f"{device}/insert", self._device(_insert), methods=["POST"]),
                Route(f"{device}/withdraw", self._device(lambda station, _: station.withdraw()), methods=["POST"]),
                Route(f"{device}/take", self._device(lambda station, _: bool(station.take_back())), methods=["POST"]),
                Route(f"{device}/faults", self._device(_clear_faults), methods=["DELETE"]),
                Route(f"{device}/faults/{{fault}}", self._fault, methods=["PUT", "DELETE"]),
                Route(f"{device}/box", self._device(_box), methods=["PUT"]),
                Route(f"{device}/line", self._device(_line), methods=["PUT"]),
                Route(f"{device}/plug", self._device(_plug), methods=["PUT"]),
                Route(f"{device}/power", self._device(_power), methods=["PUT"]),
                Mount("/", StaticFiles(directory=PAGE, html=True)),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=CALLED)],
            exception_handlers={RefusedError: _refused, HTTPException: _not_there, ClientDisconnect: _gone},
        )

    # Looking ---------------------------------------------------------------------------------------------------------

    async def _picture(self, _: Request) -> Response:
        return _json(self._machine.picture())

    async def _log(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) <= NUMBER_MAX):
            problem = f"after={after} is no line's number"
            raise RefusedError(problem, "leave it out, or use the number of the last line that you know")
        return _json(self._machine.log.after(int(after)))

    async def _events(self, request: Request) -> Response:
        stream = self._stream(request)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _stream(self, request: Request) -> AsyncIterator[bytes]:
        """The machine whenever it has changed, and what the log has got since."""
        last, number = b"", 0
        while not await request.is_disconnected():
            picture = msgspec.json.encode(self._machine.picture())
            if picture != last:
                last = picture
                yield _event("machine", picture)
            lines = self._machine.log.after(number)
            if lines:
                number = lines[-1].number
                yield _event("log", msgspec.json.encode(lines))
            await asyncio.sleep(LOOK_EVERY_S)

    # Doing -----------------------------------------------------------------------------------------------------------

    def _device(self, do: Deed) -> Handler:
        """A route to one device: what is done there, and how the device is afterwards."""

        async def handle(request: Request) -> Response:
            station = self._machine.station(request.path_params["name"])
            done = do(station, await _body(request))
            return _json(Done(done, station.state()))

        return handle

    async def _fault(self, request: Request) -> Response:
        station = self._machine.station(request.path_params["name"])
        fault = _named(request.path_params["fault"], station)
        if request.method == "DELETE":
            station.clear_fault(fault)
        else:
            wanted = _read(await _body(request) or b"{}", Broken)
            station.set_fault(fault, at_next=wanted.at_next)
        return _json(Done(done=True, device=station.state()))

    async def _machine_power(self, request: Request) -> Response:
        self._machine.set_powered(powered=_read(await _body(request), Switch).on)
        return _json(self._machine.picture())


def _insert(station: Station, body: bytes) -> bool:
    return station.insert(_read(body, Insert).amount)


def _clear_faults(station: Station, _: bytes) -> bool:
    station.clear_faults()
    return True


def _box(station: Station, body: bytes) -> bool:
    station.insert_box() if _read(body, Switch).on else station.remove_box()
    return True


def _line(station: Station, body: bytes) -> bool:
    station.set_line(_read(body, LineFaults))
    return True


def _plug(station: Station, body: bytes) -> bool:
    station.set_plugged(plugged=_read(body, Switch).on)
    return True


def _power(station: Station, body: bytes) -> bool:
    wanted = _read(body, Power)
    if wanted.cut_in is not None:
        station.cut_power_in(wanted.cut_in)
    if wanted.on is not None:
        station.set_powered(powered=wanted.on)
    return True


def _named(name: str, station: Station) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        known = ", ".join(sorted(station.possible()))
        problem = f"there is no fault {name}"
        raise RefusedError(problem, f"use one of: {known}") from None


async def _body(request: Request) -> bytes:
    """What came with the request. It has to be JSON: that a foreign page cannot send here without asking first."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            problem = f"the request has more than {BODY_MAX} bytes"
            raise RefusedError(problem, "send a small JSON object")
    if request.method == "POST" or body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            problem = "the request does not say that it is JSON"
            raise RefusedError(problem, "send the header Content-Type: application/json")
    return body


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        wanted = ", ".join(field.name for field in msgspec.structs.fields(kind))
        problem = f"the request cannot be read: {error}"
        raise RefusedError(problem, f"send a JSON object with {wanted}") from error


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


async def _refused(_: Request, error: Exception) -> Response:
    refused = cast("RefusedError", error)
    return _json(Problem(refused.problem, refused.remedy), 400)


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody hears it."""
    return Response(status_code=400)


async def _not_there(request: Request, error: Exception) -> Response:
    missing = cast("HTTPException", error)
    problem = f"{request.method} {request.url.path}: {missing.detail}"
    return _json(Problem(problem, "devices/bench/README.md lists every request"), missing.status_code)
