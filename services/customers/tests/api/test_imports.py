"""Files of customers, as merchants have them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
ALEX = "email,name,phone\nalex@example.com,Alex Rivera,+15551234567\n"


def customers(call: Call) -> list[Any]:
    found: list[Any] = call("GET", "/customers?per_page=100").json["data"]
    return sorted(found, key=lambda customer: str(customer["email"]))


def errors(call: Call, import_id: int) -> list[str]:
    lines: list[str] = call("GET", f"/imports/{import_id}/errors.csv").text.splitlines()
    return lines


def test_a_file_is_taken_in_and_then_worked_off(call: Call, upload: Call, work_off: Call, engine: Engine) -> None:
    answer = upload(ALEX, query="?type=customers&file_name=members.csv")
    assert answer.status_code == 201
    sent = answer.json["data"]
    assert list(sent) == [
        *("id", "type", "file_name", "job", "created_count", "existing_count", "errors_url", "created_at")
    ]
    assert (sent["type"], sent["file_name"]) == ("customers", "members.csv")
    assert sent["errors_url"] == f"https://loyalty.test/api/v1/imports/{sent['id']}/errors.csv"
    job = {"type": "import", "status": "queued", "total": 1, "processed": 0, "succeeded": 0, "failed": 0, "error": None}
    assert sent["job"] | job == sent["job"]
    assert sent["job"]["started_at"] is None

    done = work_off(sent["id"])
    assert done["job"] | {"status": "succeeded", "processed": 1, "succeeded": 1} == done["job"]
    assert done["job"]["finished_at"] is not None
    assert (done["created_count"], done["existing_count"]) == (1, 0)
    [alex] = customers(call)
    assert (alex["email"], alex["name"], alex["phone"]) == ("alex@example.com", "Alex Rivera", "+15551234567")
    assert call("GET", "/imports").json["data"] == [done]
    assert errors(call, done["id"]) == ["row,field,message,email,name,phone"]
    with engine.connect() as connection:
        left = text("select count(*) from import_rows where import_id = :id")
        assert connection.execute(left, {"id": sent["id"]}).scalar_one() == 0


def test_an_imported_customer_is_published_as_one(upload: Call, work_off: Call, engine: Engine, tenant_id: int) -> None:
    work_off(upload(ALEX).json["data"]["id"])
    with engine.connect() as connection:
        query = text("select event, payload, version from outbox where tenant_id = :t")
        [row] = connection.execute(query, {"t": tenant_id})
    assert (row.event, row.version, json.loads(row.payload)["source"]) == ("customer.created", 1, "import")


def test_who_exists_is_left_as_he_is_and_an_address_counts_once(call: Call, upload: Call, work_off: Call) -> None:
    call("POST", "/customers", {"email": "Alex@Example.com", "name": "Alex"})
    done = work_off(
        upload("email,name\nalex@example.com,Else\nsam@example.com,Sam\nSAM@example.com,Other\n").json["data"]["id"]
    )
    assert (done["created_count"], done["existing_count"], done["job"]["succeeded"]) == (1, 2, 3)
    assert [(one["email"], one["name"]) for one in customers(call)] == [
        ("Alex@Example.com", "Alex"),
        ("sam@example.com", "Sam"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffemail,name\r\nalex@example.com,Ålex\r\n",  # Excel's CSV UTF-8
        "email;name\r\nalex@example.com;Ålex\r\n;;\r\n\r\n",  # where the comma is for decimals
        "sep=;\r\nemail;name\r\nalex@example.com;Ålex\r\n",
        "email\tname\nalex@example.com\tÅlex",
        "email,name\ralex@example.com,Ålex\r",
        ' EMAIL,"Name"\nalex@example.com,Ålex\n',
        'name,email,,\n"Ålex", alex@example.com ,,\n',
    ],
)
def test_every_spreadsheets_way_of_writing_it_is_read(call: Call, upload: Call, work_off: Call, content: str) -> None:
    done = work_off(upload(content).json["data"]["id"])
    assert (done["job"]["total"], done["job"]["succeeded"]) == (1, 1)
    assert [(one["email"], one["name"]) for one in customers(call)] == [("alex@example.com", "Ålex")]


def test_a_line_break_in_a_cell_belongs_to_the_cell_and_rows_are_counted_as_a_spreadsheet_counts(
    call: Call, upload: Call, work_off: Call
) -> None:
    done = work_off(
        upload('email,note,name\na@example.com,"two\nlines",A\n\nb@example.com,,"B\nC"\n').json["data"]["id"]
    )
    assert (done["job"]["succeeded"], done["job"]["failed"]) == (1, 1)
    [_, line, more] = errors(call, done["id"])
    assert line + more == '4,name,The name field may not contain line breaks or tabs.,b@example.com,,"BC"'


def test_what_an_export_of_ours_shielded_is_read_as_it_was(call: Call, upload: Call, work_off: Call) -> None:
    work_off(upload("email,name,phone\nalex@example.com,'=Alex,'+15551234567\n").json["data"]["id"])
    exported = call("GET", "/exports/customers.csv").text
    assert "'=Alex,alex@example.com,'+15551234567" in exported
    [alex] = customers(call)
    assert (alex["name"], alex["phone"]) == ("=Alex", "+15551234567")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The first row must name an email column; it names nothing."),
        (b"name,phone\nAlex,1\n", "The first row must name an email column; it names name, phone."),
        (b"email,email\n", "The file has two columns of one name."),
        (b"email,name\na@b.co,\xe9\n", "The file must be encoded in UTF-8; a spreadsheet saves it as CSV UTF-8."),
        ("email\na@b.co\n".encode("utf-16"), "The file must be encoded in UTF-8; a spreadsheet saves it as CSV UTF-8."),
        (b'email\n"a@b.co\n', "Row 2 cannot be read: a quote is not closed, or something follows a closed one."),
        (b'email\n"a"b\n', "Row 2 cannot be read: a quote is not closed, or something follows a closed one."),
        (b"email\na\x00@b.co\n", "Line 2 contains a control character."),
        (b"PK\x03\x04zip\n", "Line 1 contains a control character."),
        (b"email\n" + b"x" * 300_000, "Line 2 is longer than 262144 characters."),
        (b"email," + b",".join(b"c%d" % n for n in range(100)), "The file has more than 100 columns."),
    ],
)
def test_a_file_that_cannot_be_read_for_certain_leaves_nothing(
    call: Call, upload: Call, content: bytes, sentence: str
) -> None:
    answer = upload(content, key="k")
    assert (answer.status_code, answer.json["error"]["details"]) == (400, {"file": [sentence]})
    assert call("GET", "/imports").json["data"] == []
    assert upload(ALEX, key="k").status_code == 201


def test_json_lines_are_judged_like_bodies(call: Call, upload: Call, work_off: Call) -> None:
    lines = [
        {"email": "alex@example.com", "name": "Alex", "colour": "red"},
        {"email": 5},
        {"name": ["x"], "email": "b@example.com"},
    ]
    content = "\n\n".join(json.dumps(line) for line in lines)
    answer = upload(content, media_type="application/x-ndjson")
    assert [told["field"] for told in answer.json["meta"]["warnings"]] == ["colour"]
    done = work_off(answer.json["data"]["id"])
    assert (done["job"]["succeeded"], done["job"]["failed"]) == (1, 2)
    assert errors(call, done["id"]) == [
        "row,field,message,email,name,colour",
        "3,email,The email field must be a string.,5,,",
        '5,name,The name field must be a string.,b@example.com,"[""x""]",',
    ]


@pytest.mark.parametrize("line", ["[]", "5", "{", '{"email":"a@b.co","email":"c@d.co"}', '{"email":1e400}'])
def test_a_line_that_is_no_object_refuses_the_file(upload: Call, line: str) -> None:
    answer = upload('{"email":"a@b.co"}\n' + line, media_type="application/x-ndjson")
    assert answer.json["error"]["details"] == {"file": ["Line 2 is not a JSON object whose keys differ."]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "x" * 250 + "@example.com"},
        {"email": "a@example.com", "name": "n" * 256},
        {"email": "a@example.com", "phone": "12"},
        {"email": "a@example.com", "phone": "1" * 41},
        {"name": "Nobody"},
    ],
)
def test_a_row_is_refused_with_the_sentences_of_a_request(
    call: Call, upload: Call, work_off: Call, engine: Engine, wrong: dict[str, str]
) -> None:
    said = call("POST", "/customers", wrong).json["error"]["details"]
    done = work_off(upload(json.dumps(wrong), media_type="application/x-ndjson").json["data"]["id"])
    with engine.connect() as connection:
        query = text("select errors from import_rows where import_id = :id")
        assert connection.execute(query, {"id": done["id"]}).scalar_one() == said


def test_rows_fail_for_themselves_and_the_file_of_errors_says_why(call: Call, upload: Call, work_off: Call) -> None:
    header = "email,points,loyalty_card_id,member_since,colour"
    content = f"{header}\nalex@example.com,,,,=red\nb,5,,,\nc@example.com,-1,12,soon,+x,more\n"
    answer = upload(content)
    assert answer.json["meta"]["warnings"] == [
        {"field": "colour", "message": "The colour column is unknown and was ignored."}
    ]
    done = work_off(answer.json["data"]["id"])
    assert (done["job"]["status"], done["job"]["succeeded"], done["job"]["failed"]) == ("succeeded", 1, 2)
    assert errors(call, done["id"]) == [
        "row,field,message,email,points,loyalty_card_id,member_since,colour",
        "3,email,The email field must be a valid email address.,b,5,,,",
        "4,row,The row has more cells than the header.,c@example.com,'-1,12,soon,'+x,more",
    ]
