"""A key from its making to its end, as somebody with a browser and a terminal lives through it."""

import json
import subprocess

from playwright.sync_api import expect


def curl(suite, key):
    """Status and body of what a terminal gets with this key."""
    command = [
        "curl",
        "-s",
        "-w",
        "\n%{http_code}",
        f"{suite.base_url}/customers",
        "-H",
        f"Authorization: Bearer {key}",
    ]
    body, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_a_key_is_created_used_rotated_and_revoked(suite, arrive, wait_until):
    window = arrive("owner", path="/dashboard/api-keys")
    page = window.page
    page.get_by_role("link", name="Create a key").first.click()
    window.look("api-key-new")

    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_role("alert")).to_contain_text("not right yet")
    expect(page.get_by_label("Name")).to_be_focused()
    window.forgive()
    window.look("api-key-refused")
    page.get_by_label("Name").fill("Till 7")
    page.get_by_role("button", name="Create the key").click()

    page.get_by_role("button", name="Copy the key").click()
    key = page.evaluate("navigator.clipboard.readText()")
    expect(page.get_by_role("button", name="Copy the key")).to_have_text("Copied")
    assert curl(suite, key)[0] == 200
    window.look("api-key-secret")

    page.get_by_role("link", name="Done").click()
    window.look("api-key")
    page.get_by_role("link", name="Edit").click()
    window.look("api-key-edit")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Rotate").click()
    window.look("api-key-rotate")
    page.get_by_label("The old key works on for").select_option("1 hour")
    page.get_by_role("button", name="Rotate the key").click()
    successor = page.locator("#new-key").text_content()
    assert (curl(suite, key)[0], curl(suite, successor)[0]) == (200, 200)

    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Revoke").click()
    window.look("api-key-revoke")
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_role("status")).to_contain_text("Revoked.")
    wait_until(lambda: curl(suite, successor)[0] == 401)
    assert curl(suite, successor)[1]["error"]["reason"] == "key_revoked"
    window.look("api-key-revoked")
    window.open("/dashboard/api-keys")
    window.look("api-keys")


def test_who_looks_for_a_key_that_is_not_there_is_told_so(arrive):
    window = arrive("owner", mode="test", path="/dashboard/api-keys?status=revoked")
    expect(window.page.get_by_role("heading", name="No key like this")).to_be_visible()
    window.look("api-keys-none")
