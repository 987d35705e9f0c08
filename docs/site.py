"""Build pages of the site from Markdown files that live beside the code, and mend their links.

A link in a repository file points to another file of the repository. On the site it points to the page that
is made of that file; a link to a file that has no page becomes plain text. A link to nothing stays as it is,
so that a strict build fails. Loaded by mkdocs.yml as a hook.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "index.md": "README.md",
    "examples.md": "examples/README.md",
    "data.md": "data/README.md",
    "recipes/asr.md": "recipes/asr/README.md",
    "recipes/finetune.md": "recipes/finetune/README.md",
    "recipes/ctc.md": "recipes/ctc/README.md",
    "recipes/tts.md": "recipes/tts/README.md",
    "recipes/flow.md": "recipes/tts/flow/README.md",
    "recipes/vocoder.md": "recipes/vocoder/README.md",
    "recipes/endpoint.md": "recipes/endpoint/README.md",
    "recipes/homographs.md": "recipes/homographs/README.md",
    "recipes/log.md": "recipes/LOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}  # page of the site: file of the repository
PICTURES = {"recipes/voices.png": "recipes/tts/voices.png"}
_HOMES = {source: page for page, source in (*PAGES.items(), *PICTURES.items())}
_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"(!\[[^\]\n]*\])\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#|/")  # an address, a place on the same page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and pictures that lie outside docs/."""
    for page, source in PAGES.items():
        path = ROOT / source
        if path.is_file():
            files.append(File.generated(config, page, content=path.read_text(encoding="utf-8")))
    for picture, source in PICTURES.items():
        files.append(File.generated(config, picture, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the page's Markdown with links that hold on the site."""
    here = page.file.src_uri
    folder = posixpath.dirname(PAGES.get(here, f"docs/{here}"))
    markdown = _PICTURE.sub(lambda found: f"{found[1]}({_mended(found[2], folder, here)})", markdown)
    return _LINK.sub(lambda found: _linked(found[1], found[2], folder, here), markdown)


def _linked(text: str, target: str, folder: str, here: str) -> str:
    """Return a link of the file in `folder` as it is written on the page `here`."""
    link = _mended(target, folder, here)
    if link is None:
        return text
    if link.endswith(".mp3"):
        return f'{text}<br><audio controls preload="none" src="{_up(here)}{link}"></audio>'
    return f"[{text}]({link})"


def _mended(target: str, folder: str, here: str) -> str | None:
    """Return where `target` is on the site, seen from `here`; None for a file without a page."""
    if _ELSEWHERE.match(target):
        return target
    path, _, anchor = target.partition("#")
    source = posixpath.normpath(posixpath.join(folder, path))
    if source in _HOMES:
        page = _HOMES[source]
    elif source.startswith("docs/") and (ROOT / source).is_file():
        page = source.removeprefix("docs/")
    else:
        return None if (ROOT / source).exists() else target
    relative = os.path.relpath(page, posixpath.dirname(here) or ".").replace(os.sep, "/")
    return f"{relative}#{anchor}" if anchor else relative


def _up(here: str) -> str:
    """Return the way from the folder in which a page is shown to the one in which its source lies."""
    return "" if posixpath.basename(here) == "index.md" else "../"
