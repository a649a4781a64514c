"""What ends a request early, and the page that says so.

    PageError
    ├── SignInNeeded   nobody is signed in; leads to the sign-in page
    ├── Forbidden      403
    └── FormExpired    400: the form was not made for this browser, or for the session before

``ApiError`` has pages too: what the API says to a person is what the person is told.
"""

from __future__ import annotations


class PageError(Exception):
    status = 500


class SignInNeeded(PageError):
    status = 401


class Forbidden(PageError):
    status = 403


class FormExpired(PageError):
    status = 400
