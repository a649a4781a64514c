"""A request, as a program in each of four languages, which can be run as it stands with a key of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from loyalty_dashboard.portal import literals
from loyalty_dashboard.portal.operations import JSON, Operation

KEY = "lpk_your_secret_key"
SESSION = "lps_your_session_token"


@dataclass(frozen=True)
class Request:
    """``token`` is what stands behind ``Bearer``; ``file`` the name of the file that is sent instead of JSON."""

    method: str
    url: str
    token: str | None = None
    body: Any = None
    media_type: str | None = None
    file: str | None = None

    @classmethod
    def of(
        cls,
        operation: Operation,
        *,
        base_url: str,
        path: Mapping[str, Any],
        query: Mapping[str, Any],
        body: Any,
        file: str | None = None,
        media_type: str | None = None,
    ) -> Request:
        token = KEY if "api_key" in operation.callers else SESSION if operation.callers else None
        return cls(
            method=operation.method,
            url=address(operation, base_url=base_url, path=path, query=query),
            token=token,
            body=body,
            media_type=media_type or (JSON if body is not None else None),
            file=file,
        )

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, "Content-Type": self.media_type} if self.media_type else headers


def address(operation: Operation, *, base_url: str, path: Mapping[str, Any], query: Mapping[str, Any]) -> str:
    """The path with its parameters filled in, each as one segment whatever it holds."""
    filled = operation.path
    for name, value in path.items():
        filled = filled.replace(f"{{{name}}}", quote(str(value), safe=""))
    written = urlencode({name: literals.plain(value) for name, value in query.items()}, quote_via=quote, safe="@,")
    return f"{base_url}{filled}?{written}" if written else f"{base_url}{filled}"


def curl(request: Request) -> str:
    lines = [f'curl -X {request.method} "{request.url}"']
    lines += [f'  -H "{name}: {value}"' for name, value in request.headers.items()]
    if request.file:
        lines.append(f"  --data-binary @{request.file}")
    elif request.body is not None:
        text = literals.compact(request.body)
        text = text if len(text) <= 90 else literals.JSON_NOTATION.write(request.body, depth=1)
        lines.append(f"  -d '{text.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'")
    return " \\\n".join(lines)


def python(request: Request) -> str:
    arguments = [json.dumps(request.url)]
    headers = dict(request.headers)
    if request.body is not None and not request.file:
        del headers["Content-Type"]  # requests says so by itself.
    if headers:
        arguments.append(f"headers={_short(literals.PYTHON, headers, depth=1)}")
    if request.file:
        arguments.append(f"data=Path({json.dumps(request.file)}).read_bytes()")
    elif request.body is not None:
        arguments.append(f"json={literals.PYTHON.write(request.body, depth=1)}")
    arguments.append("timeout=30")
    inner = "".join(f"    {argument},\n" for argument in arguments)
    imports = "from pathlib import Path\n\n" if request.file else ""
    return (
        f"{imports}import requests\n\nresponse = requests.{request.method.lower()}(\n{inner})\n"
        "response.raise_for_status()\nprint(response.text)"
    )


def javascript(request: Request) -> str:
    options = [f'  method: "{request.method}",'] if request.method != "GET" else []
    if request.headers:
        options.append(f"  headers: {literals.JAVASCRIPT.write(request.headers, depth=1)},")
    if request.file:
        options.append(f"  body: await readFile({json.dumps(request.file)}),")
    elif request.body is not None:
        options.append(f"  body: JSON.stringify({literals.JAVASCRIPT.write(request.body, depth=1)}),")
    inner = ", {\n" + "\n".join(options) + "\n}" if options else ""
    imports = 'import { readFile } from "node:fs/promises";\n\n' if request.file else ""
    return (
        f"{imports}const response = await fetch({json.dumps(request.url)}{inner});\n"
        "if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);\n"
        "console.log(await response.text());"
    )


def php(request: Request) -> str:
    options: list[str] = [f'        "method" => "{request.method}",']
    if request.headers:
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        options.append(f'        "header" => {literals.PHP.write(lines, depth=2)},')
    if request.file:
        options.append(f'        "content" => file_get_contents({json.dumps(request.file)}),')
    elif request.body is not None:
        options.append(f'        "content" => json_encode({literals.PHP.write(request.body, depth=2)}),')
    return (
        "<?php\n\n$context = stream_context_create([\n"
        '    "http" => [\n' + "\n".join(options) + "\n    ],\n]);\n"
        f"echo file_get_contents({literals.PHP.text(request.url)}, false, $context);"
    )


def _short(notation: literals.Notation, value: dict[str, Any], *, depth: int) -> str:
    """On one line where there is but one entry."""
    if len(value) == 1:
        [(key, only)] = value.items()
        return "{" + f"{json.dumps(key)}: {json.dumps(only)}" + "}"
    return notation.write(value, depth=depth)


@dataclass(frozen=True)
class Language:
    """``lexer`` is Pygments' name of it."""

    code: str
    name: str
    lexer: str
    write: Callable[[Request], str]


LANGUAGES = (
    Language("curl", "curl", "bash", curl),
    Language("python", "Python", "python", python),
    Language("javascript", "JavaScript", "javascript", javascript),
    Language("php", "PHP", "php", php),
)
