"""`python -m tests.figures [NAME …] [--json]` measures, and prints what was measured beside what should be reached."""

import argparse
import json
import platform
import sys
from collections.abc import Callable

from msgspec.structs import asdict

from tests.figures import durable, hotplug, idle, latency, million, visits
from tests.figures.figure import Figure

GROUPS: dict[str, Callable[[], list[Figure]]] = {
    "visits": visits.figures,
    "durable": durable.figures,
    "million": million.figures,
    "latency": latency.figures,
    "idle": idle.figures,
    "hotplug": hotplug.figures,
}


def main() -> int:
    """Measure what is asked for; 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description="Measure, and print the figures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(GROUPS)}; all of them by default")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    args = parser.parse_args()
    unknown = set(args.names) - set(GROUPS)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    found: list[Figure] = []
    for name in args.names or GROUPS:
        print(f"measuring {name} …", file=sys.stderr)
        found += GROUPS[name]()
    if args.json:
        rows = [{**asdict(figure), "reached": figure.reached} for figure in found]
        print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), "figures": rows}))
    else:
        for figure in found:
            verdict = {True: "reached", False: "MISSED", None: ""}[figure.reached]
            print(f"{figure.name:<62}{figure.value:>14,.4g} {figure.unit:<9}{figure.goal:<12}{verdict}")
    return 1 if any(figure.reached is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
