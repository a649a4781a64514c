def test_a_call_with_a_key_reaches_the_service(gateway, upstream, demo_key):
    answer = gateway.ask("GET", "/api/v1/loyalty-cards?page=2", key=demo_key)
    assert answer.status == 200
    assert upstream.received[0].path == "/v1/loyalty-cards?page=2"
