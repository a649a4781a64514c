"""The pages for developers: the product page at ``/``, documentation below ``/docs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, make_response, redirect, render_template, request

from loyalty_dashboard.portal import console, guides, postman, reasons, samples, search
from loyalty_dashboard.portal.compression import compress
from loyalty_dashboard.portal.documentation import Contracts, Documentation, shown
from loyalty_dashboard.portal.guides import GUIDES, Guide
from loyalty_dashboard.portal.highlighting import highlighted
from loyalty_dashboard.portal.literals import as_json
from loyalty_dashboard.portal.prose import inline, prose
from loyalty_dashboard.portal.source import DocumentationAway, Source

RECEIVERS = {
    language: (Path(__file__).parent / f"receivers/{language}.txt").read_text(encoding="utf-8").strip()
    for language in ("python", "javascript", "php")
}
_LISTEN = """LOYALTY_URL={base_url} LOYALTY_API_KEY=lpk_test_… \\
  loyalty-webhooks listen --forward-to http://localhost:3000/hook"""
blueprint = Blueprint("portal", __name__)


def install(app: Flask) -> None:
    """What all pages of the portal use. The API is asked when a page first needs it."""
    settings = app.extensions["settings"]
    contracts = Contracts.read(settings.contracts_dir)
    app.extensions["documentation"] = Source(settings.api_url, contracts)
    app.extensions["events"] = {event.name: event for event in contracts.events}
    app.jinja_env.filters |= {"code": highlighted, "json": as_json, "prose": prose, "inline": inline}


def documentation() -> Documentation:
    source: Source = current_app.extensions["documentation"]
    return source.documentation()


def known() -> Documentation | None:
    """For pages that have something to say without the API."""
    try:
        return documentation()
    except DocumentationAway:
        return None


@blueprint.context_processor
def _around() -> dict[str, Any]:
    """For the menu beside each page, and for samples."""
    return {
        "guides": GUIDES,
        "events": current_app.extensions["events"],
        "documentation": known(),
        "base_url": current_app.extensions["settings"].public_base_url,
        "languages_of_samples": samples.LANGUAGES,
        "can_be_tried": console.can_be_tried,
        "shown": shown,
    }


@blueprint.after_request
def _compress(response: Response) -> Response:
    return response if request.endpoint == "portal.try_out" else compress(response)


@blueprint.errorhandler(DocumentationAway)
def _away(_: DocumentationAway) -> Response:
    response = make_response(render_template("portal/away.html"), 503)
    response.headers["Retry-After"] = "5"
    return response


@blueprint.get("/")
def product() -> str:
    return render_template("portal/product.html")


@blueprint.get("/docs")
def docs() -> str:
    return render_template("portal/guides/overview.html", guide=GUIDES[0])


@blueprint.get("/docs/<slug>")
def guide(slug: str) -> str:
    page = _guide(slug)
    facts = {
        "receivers": RECEIVERS,
        "reasons": reasons.REASONS,
        "listen": _LISTEN.format(base_url=current_app.extensions["settings"].public_base_url),
    }
    return render_template(f"portal/guides/{slug}.html", guide=page, **facts)


def _guide(slug: str) -> Guide:
    return next((guide for guide in GUIDES if guide.slug == slug), None) or abort(404)


@blueprint.get("/docs/events/<name>")
def event(name: str) -> str:
    found = current_app.extensions["events"].get(name) or abort(404)
    return render_template("portal/event.html", event=found)


@blueprint.get("/docs/api")
def api() -> Response:
    return redirect(f"/docs/api/{documentation().groups[0].slug}", 302)  # type: ignore[return-value]


@blueprint.get("/docs/api/<slug>")
def group(slug: str) -> str:
    found = next((group for group in documentation().groups if group.slug == slug), None) or abort(404)
    return render_template("portal/group.html", group=found)


@blueprint.get("/docs/search")
def find() -> str:
    query = request.args.get("q", "")
    entries = search.entries(documentation(), guides.entries(reasons.ALL))
    page = "portal/results.html" if "HX-Request" in request.headers else "portal/search.html"
    return render_template(page, query=query, found=search.find(entries, query))


@blueprint.get("/docs/openapi.json")
def openapi() -> Response:
    return _download("openapi.json", documentation().openapi)


@blueprint.get("/docs/postman.json")
def postman_collection() -> Response:
    return _download("loyalty.postman_collection.json", postman.collection(documentation()))


def _download(name: str, text: str) -> Response:
    response = Response(text, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
