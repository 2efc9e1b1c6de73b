"""The page in a real browser: what is clicked happens to the machine, and what happens to the machine is seen."""

import os
import time
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from devices.driver import Inbox, Setting
from devices.link import open_link
from devices.registry import PROTOCOLS
from devices.supervisor import State, Supervisor
from kiosk.amount import Money
from kiosk.ports.acceptor import DeviceReady, OpenAcceptor
from kiosk.ports.bill_validator import NoteEscrowed, ReturnNote, StackNote
from kiosk.ports.message import Fact
from tests.bench.running import Bench, bench

BROWSER = os.environ.get("KIOSK_BROWSER", "")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
TWENTY = Money(2000, "CNY")
ALL = tuple(Money(minor, "CNY") for minor in (100, 500, 1000, 2000, 5000, 10000))

pytestmark = pytest.mark.skipif(not BROWSER, reason="KIOSK_BROWSER names no browser; deploy/test finds one")


class Till:
    """A host that takes every note but twenties."""

    def __init__(self, running: Bench) -> None:
        self._inboxes: dict[str, Inbox] = {}
        self._supervisors: list[Supervisor] = []
        for name in ("bill", "coins"):
            told = running.device(name)
            self._begin(name, told["protocol"], told["port"])

    def _begin(self, name: str, protocol: str, port: str) -> None:
        driver = PROTOCOLS[protocol].driver()
        inbox = self._inboxes[name] = Inbox()
        supervisor = Supervisor(
            lambda host: driver(host, inbox, Setting(name, "CNY"), time.monotonic),
            lambda: open_link(port, driver.line),
            self,
            time.monotonic,
        )
        supervisor.start()
        self._supervisors.append(supervisor)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        match fact:
            case DeviceReady():
                self._inboxes[fact.device].put(OpenAcceptor(fact.device, ALL))
            case NoteEscrowed():
                decided = ReturnNote if fact.amount == TWENTY else StackNote
                self._inboxes[fact.device].put(decided(fact.device, fact.position))
            case _:
                pass

    def ready(self) -> bool:
        """Do both take money?"""
        return all(supervisor.condition.state is State.READY for supervisor in self._supervisors)

    def close(self) -> None:
        """Let go of the lines."""
        for supervisor in self._supervisors:
            supervisor.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def page(running: Bench, browser: Browser) -> Generator[Page]:
    """The page as somebody opens it; whatever it complains of in its console fails the test."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(running.address)
    expect(opened.locator("#link")).to_have_text("connected")
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def till(running: Bench) -> Generator[Till]:
    attached = Till(running)
    running.until(attached.ready)
    yield attached
    attached.close()


def test_it_shows_every_device_and_that_nobody_speaks_to_it(page: Page) -> None:
    expect(page.locator("#device-bill h2")).to_have_text("bill")
    expect(page.locator("#device-coins .protocol")).to_have_text("ccTalk coins")
    expect(page.locator("#device-bill .piece")).to_have_text(["5", "10", "20", "50", "100"])
    expect(page.locator(".state")).to_have_text(["nobody speaks to it", "nobody speaks to it"])


@pytest.mark.usefixtures("till")
def test_notes_and_coins_go_their_way(page: Page, running: Bench) -> None:
    bill = page.locator("#device-bill")
    expect(bill.locator(".state")).to_have_text("waits for notes")
    bill.locator('button[data-worth="50.00"]').click()
    expect(bill.locator(".box b")).to_have_text("50.00")
    expect(bill.locator(".state")).to_have_text("waits for notes")
    bill.locator('button[data-worth="20.00"]').click()
    expect(bill.locator('[data-deed="take"]')).to_be_enabled()
    bill.locator('[data-deed="take"]').click()
    expect(bill.locator('[data-deed="take"]')).to_be_disabled()
    page.locator('#device-coins button[data-worth="1.00"]').click()
    expect(page.locator("#device-coins .box b")).to_have_text("1.00")
    assert running.device("bill")["box"]["pieces"] == ["50.00"]
    says = page.locator("#lines li").all_inner_texts()
    assert any("50.00" in line and "device" in line for line in says), says
    assert any("terminal" in line for line in says), says


@pytest.mark.usefixtures("till")
def test_faults_are_switches_and_seen_at_a_glance(page: Page) -> None:
    bill = page.locator("#device-bill")
    jam = bill.locator('[data-fault="jam"]')
    jam.click()
    expect(jam).to_have_attribute("aria-checked", "true")
    expect(bill.locator(".state")).to_have_text("jam")
    bill.locator('[data-deed="box"]').click()
    expect(page.locator("#summary")).to_have_text("2 faults")
    page.locator("#mend").click()
    expect(jam).to_have_attribute("aria-checked", "false")
    expect(page.locator("#summary")).to_have_text("nothing is wrong")
    expect(bill.locator(".state")).to_have_text("waits for notes")


def test_cables_power_and_lines(page: Page, running: Bench) -> None:
    bill = page.locator("#device-bill")
    bill.locator('[data-deed="plug"]').click()
    expect(bill.locator(".state")).to_have_text("unplugged")
    bill.locator('[data-deed="plug"]').click()
    page.locator("#power").click()
    expect(bill.locator(".state")).to_have_text("without power")
    expect(page.locator("#summary")).to_have_text("2 of 2 off")
    page.locator("#power").click()
    bill.locator("summary").click()
    slider = bill.locator('[data-line="dropped"]')
    slider.fill("20")
    expect(bill.locator(".facts")).to_contain_text("The line is bad.")
    assert running.device("bill")["line"]["dropped"] == 0.2
    page.locator("#straighten").click()
    expect(slider).to_have_value("0")


def test_it_fits_a_phone_and_can_be_used_without_a_mouse(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
