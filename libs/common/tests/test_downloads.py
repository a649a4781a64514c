import csv
import io

from loyalty_common.downloads import csv_lines, csv_text


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    assert [csv_text(cell) for cell in ("=1+1", "+1555", "-5", "@x", "Alex", "a=b", None)] == [
        "'=1+1",
        "'+1555",
        "'-5",
        "'@x",
        "Alex",
        "a=b",
        "",
    ]


def test_rows_come_in_pieces_and_read_back_as_they_were() -> None:
    rows = [(number, 'says "hi",\nagain', None) for number in range(5_000)]
    pieces = list(csv_lines(("id", "notes", "phone"), iter(rows)))
    assert 2 <= len(pieces) <= 5
    read = list(csv.reader(io.StringIO("".join(pieces), newline="")))
    assert read[0] == ["id", "notes", "phone"]
    assert read[1:] == [[str(number), 'says "hi",\nagain', ""] for number in range(5_000)]
