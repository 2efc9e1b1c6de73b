"""The long campaign: `python -m tests.fuzz --frames 1000000 --seed 7` fuzzes every protocol of the registry."""

import argparse
import sys

from devices.registry import PROTOCOLS
from kiosk.progress_bar import ProgressBar
from tests.fuzz.campaign import Report, fuzz


def main() -> int:
    """Run it; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--protocol", choices=PROTOCOLS, help="only this one")
    parser.add_argument("--frames", type=int, default=1_000_000, help="harmed frames for each protocol, at least")
    parser.add_argument("--seed", type=int, default=1, help="of the first life; the next ones follow it")
    asked = parser.parse_args()
    found = False
    for protocol in [asked.protocol] if asked.protocol else PROTOCOLS:
        bar = ProgressBar(f"frames of {protocol}", wanted=True)
        report, shown = Report(protocol, asked.seed), 0
        for report in fuzz(protocol, asked.frames, asked.seed):
            bar(min(report.frames, asked.frames), asked.frames)
            for finding in report.findings[shown:]:
                bar.wipe()
                sys.stdout.write(f"{finding}\n")
            shown = len(report.findings)
        bar.wipe()
        sys.stdout.write(f"{report}\n")
        sys.stdout.flush()
        found = found or bool(report.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
