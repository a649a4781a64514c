"""Where one arrives after signing in."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("home", __name__, url_prefix="/dashboard")


@blueprint.get("")
def home() -> str:
    return render_template("home/home.html")
