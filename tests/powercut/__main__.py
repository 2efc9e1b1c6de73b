"""The long campaign: `python -m tests.powercut --cuts 100000 --seed 7` cuts every scene everywhere, seed after seed."""

import argparse
import sys

from tests.powercut.campaign import Report, cut_at_random, summing_up

PROGRESS_EVERY = 1_000  # cuts


def main() -> int:
    """Run it; 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.powercut", description=__doc__)
    parser.add_argument("--cuts", type=int, default=20_000, help="how often the power goes, at least")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the next ones follow it")
    asked = parser.parse_args()
    report, shown, told = Report(), 0, 0
    for report in summing_up(cut_at_random(asked.cuts, asked.seed)):
        for finding in report.findings[told:]:
            print(finding, flush=True)
        told = len(report.findings)
        if report.cuts >= shown + PROGRESS_EVERY:
            shown = report.cuts
            print(report, flush=True)
    print(f"seed {asked.seed}: {report}")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
