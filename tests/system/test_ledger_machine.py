"""A machine calls whatever moves points, stamps and vouchers, in any order and up to four calls at once.

A plain model (``ledger/``) says what each call answers. Of calls that ran at once some order must explain all answers,
and the books that they left: whenever it is quiet, those of the databases are the model's, row by row.

``LEDGER_SEED=7`` plays other games than every run does, and ``make soak`` many more of them (``LEDGER_GAMES=200``).
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from loyalty_common.database import create_engine
from loyalty_programs.jobs.expiry import expire_points
from loyalty_testing.soak import SOAKING
from tests.system.ledger.answers import Answer
from tests.system.ledger.books import Bookkeeper, Books
from tests.system.ledger.calls import Call, with_field
from tests.system.ledger.claim_calls import CLAIM_CALLS
from tests.system.ledger.points_calls import POINTS_CALLS, Enroll
from tests.system.ledger.shop import PEOPLE, Shop
from tests.system.ledger.stamp_calls import STAMP_CALLS
from tests.system.ledger.voucher_calls import VOUCHER_CALLS
from tests.system.ledger.world import Sent, World

GAMES = int(os.environ.get("LEDGER_GAMES", 600 if SOAKING else 25))
STEPS = 40
A_WHILE = timedelta(days=40)
"""Longer than any points live."""
OF_A_MEMBER = [*POINTS_CALLS, *CLAIM_CALLS]
KINDS = (POINTS_CALLS, OF_A_MEMBER, CLAIM_CALLS, STAMP_CALLS, VOUCHER_CALLS)
CONTENDED = (*CLAIM_CALLS, *VOUCHER_CALLS)
CALLS = st.one_of(*OF_A_MEMBER, *STAMP_CALLS, *VOUCHER_CALLS)


class Ledger(RuleBasedStateMachine):
    """One game. ``told``: what happened last, for whoever must find out why it failed.

    Without preconditions: who wins a race decides what there is, and Hypothesis must draw the same when it plays again.
    """

    def __init__(self, game: int, merchant: Any, urls: dict[str, str], expire: Callable[[], object]) -> None:
        super().__init__()
        self.title = f"Game {game}"
        self.shop = Shop(merchant)
        self.urls, self.expire_points = urls, expire
        self.told: deque[str] = deque(maxlen=60)
        self.sent: list[Sent] = []
        self.keys = 0

    @initialize(bonus=st.sampled_from([0, 12, 12]), auto_enroll=st.booleans(), may_owe=st.booleans())
    def open(self, bonus: int, auto_enroll: bool, may_owe: bool) -> None:
        world = self.world = self.shop.open(bonus=bonus, auto_enroll=auto_enroll, may_owe=may_owe)
        self.bookkeeper = Bookkeeper(
            self.urls,
            card=world.card.card_id,
            stamp_card=world.stamp_card.stamp_card_id,
            vouchers=[voucher.voucher_id for voucher in world.vouchers],
        )
        self.send(self.keyed([Enroll("alex"), Enroll("sam")]))

    @rule(call=CALLS)
    def one(self, call: Call) -> None:
        self.send(self.keyed([call]))

    @rule(
        calls=st.one_of(*(st.lists(st.one_of(kind), min_size=2, max_size=4) for kind in KINDS)), job_runs=st.booleans()
    )
    def at_once(self, calls: list[Call], job_runs: bool) -> None:
        self.send(self.keyed(calls), job_runs=job_runs)

    @rule(call=CALLS, tills=st.integers(2, 4), alike=st.sampled_from(["key", "receipt", "no more than that"]))
    def the_same_at_once(self, call: Call, tills: int, alike: str) -> None:
        if alike == "key":
            self.send(self.keyed([call]) * tills)
        else:
            call = with_field(call, reference=f"POS-1{self.keys}") if alike == "receipt" else call
            self.send(self.keyed([call] * tills))

    @rule(call=st.one_of(CALLS, *CONTENDED))
    def for_everybody_at_once(self, call: Call) -> None:
        self.send(self.keyed(with_field(call, who=who) for who in PEOPLE))

    @rule(back=st.integers(0, 9), tills=st.integers(1, 2), instead=st.one_of(st.none(), st.none(), CALLS))
    def again(self, back: int, tills: int, instead: Call | None) -> None:
        """With the key of an earlier call: the same, or something else ``instead``."""
        earlier = self.sent[-1 - back % len(self.sent)]
        calls = [earlier] if instead is None else [Sent(one.request, earlier.key) for one in self.keyed([instead])]
        self.send([call for call in calls if call.request.is_stored or call.key is None] * tills)

    @rule(who=st.sampled_from(PEOPLE))
    def a_while_passes(self, who: str) -> None:
        """For what the customer holds; nothing is written off yet."""
        customer_id = self.shop.people[who]
        if customer_id in self.world.card.members:
            self.bookkeeper.age(customer_id, A_WHILE)
            self.world.card.age(customer_id, A_WHILE)
            self.told.append(f"a while passes for {who}")

    @rule()
    def the_job_runs(self) -> None:
        self.expire_points()
        self.settle([], [], may_wait=False)

    def keyed(self, calls: Iterable[Call]) -> list[Sent]:
        """Requests with keys of their own, as far as there is something to be called."""
        requests = [request for call in calls if (request := call.request(self.world, self.shop.people))]
        first, self.keys = self.keys + 1, self.keys + len(requests)
        return [
            Sent(request, f"till-{number}" if request.is_stored else None)
            for number, request in enumerate(requests, first)
        ]

    def send(self, calls: Iterable[Sent], *, job_runs: bool = False) -> None:
        calls = list(calls)
        if not calls:
            return
        answers = self.shop.send(calls, meanwhile=self.expire_points if job_runs else None)
        self.sent += calls
        self.settle(calls, answers)

    def settle(self, calls: Sequence[Sent], answers: Sequence[Answer], *, may_wait: bool = True) -> None:
        """Go on with the world that explains the answers and the books. ``may_wait``: overdue points, for the job."""
        self.told.extend(f"{call} → {answer}" for call, answer in zip(calls, answers, strict=True))
        self.told.append("quiet")
        try:
            books = self.bookkeeper.read()
            books.check()
            self.world = explanation(self.world, list(zip(calls, answers, strict=True)), books, may_wait=may_wait)
            self.world.learn(books)
        except AssertionError as failure:
            failure.add_note("\n".join([f"{self.title}, what came last:", *self.told]))
            raise

    def teardown(self) -> None:
        self.shop.close()
        if hasattr(self, "bookkeeper"):
            self.bookkeeper.close()


def explanation(before: World, said: list[tuple[Sent, Answer]], books: Books, *, may_wait: bool) -> World:
    facts, nearest = books.facts, None
    for after in before.orders(said):
        if (may_wait or not after.overdue) and after.facts == facts:
            return after
        nearest = nearest or after
    if nearest is None:
        raise AssertionError("\n".join(["No order of these calls explains the answers:", *expectations(before, said)]))
    differing = [kind for kind in facts if facts[kind] != nearest.facts[kind]]
    shown = [f"{kind}:\n  stored   {facts[kind]}\n  expected {nearest.facts[kind]}" for kind in differing]
    raise AssertionError("\n".join(["The answers are explained, the books are not:", *shown]))


def expectations(before: World, said: list[tuple[Sent, Answer]]) -> Iterator[str]:
    """What each would be answered if it came first."""
    for call, answer in said:
        yield f"{call}\n  answered {answer}\n  expected {before.first_answer(call)}"


@pytest.fixture
def expire(suite: Any) -> Iterator[Callable[[], object]]:
    """Runs the job of ``loyalty-programs job expire_points``."""
    engine = create_engine(suite.layout.database_urls["programs"], pool_size=2, application_name="tests")
    yield lambda: expire_points(engine)
    engine.dispose()


@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAKING else 300)
def test_whatever_is_called_in_whatever_order_the_books_are_right(
    suite: Any, found_merchant: Any, expire: Callable[[], object]
) -> None:
    numbers = itertools.count(1)

    @seed(int(os.environ.get("LEDGER_SEED", "1")))
    class Game(Ledger):
        def __init__(self) -> None:
            super().__init__(next(numbers), found_merchant(suite), suite.layout.database_urls, expire)

    games = settings(
        max_examples=GAMES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        # What failed by a race fails otherwise, or not at all, when it is played again: it cannot be made smaller.
        phases=[Phase.generate],
    )
    run_state_machine_as_test(Game, settings=games)
