"""What a request draws from, and how many of an organization may be under way at once."""

import pytest

from loyalty_common.errors import RateLimited
from loyalty_gateway.domain.allowances import buckets_of
from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.domain.in_flight import InFlight

KEY = Bucket.of("key", "limit:{7}:key:4", per_minute=100, burst=10)
ORGANIZATION = Bucket.of("organization", "limit:{7}:organization", per_minute=600, burst=100)


@pytest.mark.parametrize("limit_class", ["read", "write", None])
def test_reading_and_writing_may_use_up_all_of_the_plan(limit_class):
    assert buckets_of((KEY, ORGANIZATION), limit_class=limit_class) == (KEY, ORGANIZATION)


def test_files_get_a_part_of_what_the_organization_may_and_stay_on_its_node_of_redis():
    files = Bucket.of("files", "limit:{7}:organization:files", per_minute=30, burst=5)
    assert buckets_of((KEY, ORGANIZATION), limit_class="files") == (KEY, ORGANIZATION, files)


def test_the_smallest_plan_may_have_a_file_too():
    tiny = Bucket.of("organization", "limit:{7}:organization", per_minute=3, burst=1)
    assert buckets_of((KEY, tiny), limit_class="files")[2].burst == 1


def test_no_organization_has_more_under_way_than_it_may_and_none_takes_from_another():
    in_flight = InFlight(2)
    first, _ = in_flight.enter(7), in_flight.enter(7)
    with pytest.raises(RateLimited) as refused:
        in_flight.enter(7)
    assert refused.value.headers == {"Retry-After": "1"}
    in_flight.enter(8)
    first()
    first()
    in_flight.enter(7)
    with pytest.raises(RateLimited):
        in_flight.enter(7)


def test_an_organization_that_has_nothing_under_way_is_forgotten():
    in_flight = InFlight(2)
    for leave in [in_flight.enter(7), in_flight.enter(7)]:
        leave()
    assert in_flight._under_way == {}
