"""What the gateway answers by itself, without a key."""


def test_the_document_is_for_everybody(gateway, upstream):
    answer = gateway.ask("GET", "/api/v1/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["servers"] == [{"url": "https://api.example.com/api/v1"}]
    assert answer.json["paths"].keys() >= {"/loyalty-cards", "/customers/{customer_id}"}
    assert "/events" not in answer.json["paths"]
    assert upstream.received == []


def test_it_says_that_it_lives_and_that_it_is_ready(gateway):
    assert gateway.ask("GET", "/livez").json == {"status": "ok"}
    assert gateway.ask("GET", "/readyz").json == {"status": "ok", "dependencies": {"database": "ok"}}
    assert gateway.ask("POST", "/livez").status == 405


def test_the_bare_address_leads_to_the_dashboard_where_there_is_one(gateway, start_gateway):
    assert gateway.ask("GET", "/").status == 404
    answer = start_gateway(DASHBOARD_URL="https://dashboard.example.com/dashboard").ask("GET", "/?from=a-bookmark")
    assert (answer.status, answer.headers["location"]) == (302, "https://dashboard.example.com/dashboard")
