"""What the gateway lets a signed-in user of the role staff do here, who has none of the scopes of programs."""

import pytest

EARN = {"customer_id": 1042, "amount": "24.50", "currency": "USD"}
ADJUST = {"customer_id": 1042, "points": 5}


@pytest.fixture
def staff(call, tenant_id, gateway_token):
    """``staff("POST", path, {...})``"""
    token = gateway_token("programs", tenant_id=tenant_id, organization_id=tenant_id, scopes=["customers:read"])
    return lambda method, path, body: call(method, path, body, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def card(call, insider, alex):
    path = f"/loyalty-cards/{insider()}"
    assert call("POST", f"{path}/enrollments", {"customer_id": alex}).status_code == 201
    return path


@pytest.mark.parametrize("path", ["/transactions", "/transactions/preview"])
@pytest.mark.parametrize("points", [5, -5])
def test_staff_credits_purchases_and_adjusts_nothing(call, staff, card, path, points):
    refused = staff("POST", card + path, ADJUST | {"points": points})
    assert (refused.status_code, refused.json["error"]["reason"]) == (403, "insufficient_role")
    credited = staff("POST", card + path, EARN)
    assert (credited.status_code, credited.json["data"]["points_delta"]) in ((201, 2), (200, 2))
    adjusted = call("POST", card + path, ADJUST)
    assert (adjusted.status_code, adjusted.json["data"]["points_delta"]) in ((201, 5), (200, 5))


def test_what_staff_may_not_adjust_leaves_nothing_behind(call, staff, card):
    staff("POST", f"{card}/transactions", ADJUST | {"reference": "POS-1"})
    [bonus] = call("GET", f"{card}/transactions").json["data"]
    assert bonus["type"] == "bonus"
    assert call("POST", f"{card}/transactions", ADJUST | {"reference": "POS-1"}).status_code == 201
