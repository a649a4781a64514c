import orjson
from hypothesis import given
from hypothesis import strategies as st

from loyalty_customers.domain.importing import Waiting, decide

COLUMNS = ["email", "loyalty_card_id", "points"]


def waiting(number: int, email: str, *more: str, customer_id: int | None = None) -> Waiting:
    return Waiting(number, orjson.dumps([email, *more]).decode(), email.lower(), customer_id, next_id=1000 + number)


@given(
    people=st.lists(st.integers(0, 5)),
    existing=st.sets(st.integers(0, 5)),
    opening=st.sets(st.integers(0, 5)),
)
def test_each_address_makes_one_customer_and_each_row_has_one_fate(
    people: list[int], existing: set[int], opening: set[int]
) -> None:
    rows = [
        waiting(
            number,
            f"c{person}@example.com",
            *(["12", "5"] if person in opening else []),
            customer_id=person + 1 if person in existing else None,
        )
        for number, person in enumerate(people)
    ]
    outcome = decide(rows, COLUMNS, country="US")
    assert {profile.email for _, profile in outcome.created} == {f"c{person}@example.com" for person in people} - {
        f"c{person}@example.com" for person in existing
    }
    assert len(outcome.created) + outcome.existing == len(people)
    assert sorted([*outcome.done, *outcome.opening]) == list(range(len(people)))
    assert set(outcome.opening) == {number for number, person in enumerate(people) if person in opening}
    for number, customer_id in outcome.opening.items():
        person = people[number]
        first = people.index(person)
        assert customer_id == (person + 1 if person in existing else 1000 + first)


def test_points_and_a_date_need_a_card() -> None:
    content = orjson.dumps(["a@example.com", None, "5"]).decode()
    outcome = decide([Waiting(2, content, "a@example.com", None, 1)], COLUMNS, country="US")
    assert outcome.refused == {2: {"loyalty_card_id": ["The loyalty card id field is required with points."]}}
    assert outcome.created == []


def test_a_row_that_is_refused_makes_nobody_and_the_next_of_its_address_does() -> None:
    wrong = Waiting(2, orjson.dumps(["a@example.com", "x"]).decode(), "a@example.com", None, 1)
    right = Waiting(3, orjson.dumps(["a@example.com"]).decode(), "a@example.com", None, 2)
    outcome = decide([wrong, right], COLUMNS, country="US")
    assert [customer_id for customer_id, _ in outcome.created] == [2]
    assert outcome.refused == {2: {"loyalty_card_id": ["The loyalty card id field must be an integer."]}}
