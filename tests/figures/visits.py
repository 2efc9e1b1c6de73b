"""How many whole visits a second the simulation lives through, on one core, in memory."""

from kiosk.simulate.campaign import campaign
from kiosk.simulate.luck import Faults
from tests.figures.figure import Figure

VISITS = 20_000
SEED = 7


def figures() -> list[Figure]:
    """One campaign; a violation would make its speed worthless, so it is a figure too."""
    report = campaign(SEED, VISITS, Faults())
    return [
        Figure("simulated visits", report.sessions / report.seconds, "visits/s", at_least=1_000),
        Figure(f"violations in {VISITS:,} visits", len(report.findings), "", at_most=0),
        Figure("journal rows a visit", report.rows / report.sessions, "rows"),
    ]
