"""`python -m tests.hotplug --times 1000 --seed 7` pulls every cable so often; 1 if anything leaks or stays away."""

import argparse
import sys

from kiosk.progress_bar import ProgressBar
from tests.hotplug.campaign import campaign

WARM_UP_SHARE, WARM_UP_MIN = 20, 5  # one of so many, and no fewer than that


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hotplug", description=__doc__)
    parser.add_argument("--times", type=int, default=1000, help="that each cable is pulled, after a warm-up")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    asked = parser.parse_args()
    bar = ProgressBar("times unplugged", wanted=True)
    warm_up = max(WARM_UP_MIN, asked.times // WARM_UP_SHARE)
    report = campaign(asked.times, warm_up, asked.seed, lambda done: bar(done, asked.times))
    bar.wipe()
    sys.stdout.write(f"{report}\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
