"""The private listener: what the other services may ask."""

from datetime import UTC, datetime

import pytest

from loyalty_gateway.domain import locations
from loyalty_gateway.domain.audit import Occasion

NOW = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def ask(app, identity_keys):
    """``ask("/internal/…")`` in the name of programs, or with another ``token``."""

    def get(path, token=None):
        token = token or identity_keys.signer("programs").mint("gateway")
        return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})

    return get


@pytest.fixture
def riverside(engine, new_organization):
    organization_id = new_organization()["id"]
    with engine.begin() as connection:
        location = locations.create(
            connection,
            organization_id=organization_id,
            name="Riverside",
            time_zone="America/New_York",
            occasion=Occasion.of_operator(NOW),
        )
    return location | {"organization_id": organization_id}


def test_a_location_is_told_with_its_version(ask, riverside):
    answer = ask(f"/internal/partner-locations/{riverside['id']}?organization_id={riverside['organization_id']}")
    assert answer.status_code == 200
    assert answer.json["data"] == {
        "partner_location": {
            "id": riverside["id"],
            "name": "Riverside",
            "time_zone": "America/New_York",
            "is_active": True,
            "created_at": "2026-01-01T09:00:00+00:00",
            "updated_at": "2026-01-01T09:00:00+00:00",
        },
        "organization_id": riverside["organization_id"],
        "version": 1,
    }


def test_another_organizations_location_does_not_exist(ask, riverside, new_organization):
    path = f"/internal/partner-locations/{riverside['id']}"
    assert ask(f"{path}?organization_id={new_organization()['id']}").status_code == 404
    assert ask(f"/internal/partner-locations/999999?organization_id={riverside['organization_id']}").status_code == 404


@pytest.mark.parametrize("organization_id", ["", "abc", "-1", "²", "9" * 30])
def test_an_organization_that_is_no_number_is_refused(ask, riverside, organization_id):
    answer = ask(f"/internal/partner-locations/{riverside['id']}?organization_id={organization_id}")
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, ["organization_id"])


def test_only_a_services_own_token_opens_it(ask, riverside, identity_keys, gateway_token):
    path = f"/internal/partner-locations/{riverside['id']}?organization_id={riverside['organization_id']}"
    for token in (
        "none",
        gateway_token("gateway"),
        gateway_token("programs"),
        identity_keys.signer("programs").mint("customers"),
    ):
        assert ask(path, token=token).status_code == 401


def test_it_says_that_it_lives_and_that_it_is_ready(app):
    assert app.test_client().get("/livez").status_code == 200
    assert app.test_client().get("/readyz").json["dependencies"] == {"database": "ok"}
