"""What goes wrong how often, and what must have happened at least once in a long enough campaign."""

from collections import Counter
from random import Random

from msgspec import Struct


class Faults(Struct, frozen=True):
    """Chances from 0 to 1, for one occasion each. They are far worse than life."""

    host_killed_before_commit: float = 0.002
    host_killed_after_commit: float = 0.002
    host_killed_between_commands: float = 0.001
    power_cut: float = 0.004  # a visit during which the power goes
    power_cut_around_note: float = 0.004
    event_repeated: float = 0.01
    note_jams: float = 0.004
    note_stacked_unasked: float = 0.003
    note_retracted: float = 0.15  # of those that were returned
    note_rejected_by_device: float = 0.03
    device_fails: float = 0.006  # a cash visit during which the acceptor is lost
    slow_to_settle: float = 0.01
    device_forgets: float = 0.3  # after a power cut
    coin_burst_late: float = 0.05
    coins_lost: float = 0.002
    coin_is_foreign: float = 0.002
    box_taken_in_visit: float = 0.001
    request_dropped: float = 0.01
    answer_dropped: float = 0.015
    answer_doubled: float = 0.01
    order_amount_differs: float = 0.002
    paid_twice: float = 0.005
    paid_late: float = 0.03
    charged_back: float = 0.002
    card_unheard: float = 0.03
    card_approved_late: float = 0.3  # of those that were aborted first
    card_reversed: float = 0.004
    card_declined: float = 0.08
    top_up_declined: float = 0.03
    top_up_short: float = 0.006
    top_up_slow: float = 0.02
    top_up_day_late: float = 0.3  # of the slow ones
    top_up_reversed: float = 0.003
    top_up_declined_then_delivered: float = 0.03  # of those declined
    top_up_not_found_first: float = 0.4  # of those whose answer was dropped
    refund_slow: float = 0.1
    refund_abnormal: float = 0.04
    refund_failed: float = 0.04
    refund_comes_back: float = 0.02
    refund_charged_back: float = 0.02
    clock_doubtful: float = 0.002


# Every one of these has to come up in a campaign of 100,000 visits or more.
SOMETIMES = (
    "amount_differs",
    "answer_doubled",
    "answer_dropped",
    "box_counted_over",
    "box_counted_short",
    "box_taken_in_visit",
    "cancelled_with_money",
    "cancelled_without_money",
    "card_approved_late",
    "card_reversed",
    "card_unheard",
    "cash_then_card",
    "cash_then_order",
    "charged_back",
    "charged_back_in_parts",
    "claim_code_replaced",
    "claim_paid_out",
    "claim_refunded",
    "claim_released",
    "claim_reopened",
    "claim_spent_in_part",
    "claim_spent_whole",
    "claim_unclaimed",
    "claim_with_cash",
    "clock_doubtful",
    "coin_after_the_sale",
    "coin_without_sale",
    "coins_lost",
    "day_closed",
    "declined",
    "declined_late",
    "declined_then_delivered",
    "device_lost",
    "event_repeated",
    "excess_added",
    "excess_owed",
    "foreign_coin",
    "found_by_count",
    "host_killed_after_commit",
    "host_killed_before_commit",
    "host_killed_between_commands",
    "host_killed_in_recovery",
    "host_killed_with_note_in_escrow",
    "late_payment",
    "no_paper_no_cash",
    "not_found_then_success",
    "note_held_at_restart",
    "note_in_doubt",
    "note_refused",
    "note_retracted",
    "note_returned_after_silence",
    "note_stacked_after_cancel",
    "note_stacked_unasked",
    "not_there_by_count",
    "over_credited",
    "paid_after_cancel",
    "paid_twice",
    "personal_erased",
    "power_cut",
    "power_cut_while_stacking",
    "promotion",
    "refund_abnormal",
    "refund_came_back",
    "refund_charged_back",
    "refund_charged_back_on_top",
    "refund_done",
    "refund_done_elsewhere",
    "refund_failed_then_owed",
    "request_dropped",
    "resent_under_same_id",
    "reversed_later",
    "sale_waited_for_acceptor",
    "second_route",
    "shortfall",
    "stray_note",
    "stray_note_of_unknown_value",
    "success_a_day_late",
    "suspense_owed",
    "suspense_settled",
    "suspense_valued",
    "walked_away_delivered",
    "walked_away_owed",
)


class Luck:
    """A seeded random source that counts what it brought about."""

    def __init__(self, seed: str, faults: Faults) -> None:
        self.random = Random(seed)
        self.faults = faults
        self.seen: Counter[str] = Counter()
        self._roll = self.random.random

    def chance(self, probability: float) -> bool:
        """Did it happen?"""
        return self._roll() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._roll() * (high - low + 1))

    def saw(self, situation: str) -> None:
        """It came up."""
        self.seen[situation] += 1
