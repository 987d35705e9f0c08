"""Refusals of browsers that may not use the server: a page for people, JSON for programs."""

from __future__ import annotations

import html
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers

from voice.serve import errors

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Voice: {title}</title>
<style>
  body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.2rem; }}
  code {{ background: #8882; padding: .1em .3em; border-radius: .25em; overflow-wrap: anywhere; }}
  :root {{ color-scheme: light dark; }}
</style>
<h1>{title}</h1>
<p>{reason}</p>
<p>{remedy}</p>
</html>
"""
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused and what lets it in, as HTML; texts of others are escaped in it."""

    title: str
    reason: str
    remedy: str
    message: str  # the same for programs, in one line

    @classmethod
    def of_host(cls, host: str) -> Refusal:
        """For a request under a name that is not the server's."""
        name = urlsplit(f"//{host}").hostname if host.isprintable() and not set("[]") & set(host) else ""
        name, shown = (html.escape(each or "voice.example.org", quote=True)[:200] for each in (name, host))
        return cls(
            "This name is not known here",
            f"You asked for <code>{shown}</code>. This server answers to the names of its own machine alone,"
            " so that no web page elsewhere can take itself for it.",
            "If this is your server and you want to reach it by this name, start it with"
            f" <code>VOICE_HOSTS={name}</code>. Otherwise use its address, such as"
            " <code>http://127.0.0.1:7860</code> on the machine that it runs on.",
            f"this server is not called {host[:200]!r}; name it in VOICE_HOSTS, as VOICE_HOSTS={name}",
        )

    @classmethod
    def of_page(cls, origin: str) -> Refusal:
        """For a request that a page of somebody else's makes."""
        example = origin if origin.startswith(("http://", "https://")) else "https://example.org"
        example = html.escape(example, quote=True)[:200]
        return cls(
            "Another web page asked for this",
            "A web page elsewhere started this request. This server may not be used from other web pages,"
            " so that none of them can read what is here.",
            'If you meant to come here, open <a href="/">the page itself</a>. If that web page is yours,'
            f" start the server with <code>VOICE_ORIGINS={example}</code>.",
            "this server may not be used from other web pages; name the page in VOICE_ORIGINS, as "
            f"VOICE_ORIGINS={example}",
        )

    def answer(self, headers: Headers) -> Response:
        """Return the response in the form that a client with these headers reads."""
        if "text/html" not in headers.get("accept", ""):
            return errors.error_response(403, self.message)
        page = _PAGE.format(title=self.title, reason=self.reason, remedy=self.remedy)
        return HTMLResponse(page, 403, _PAGE_HEADERS)
