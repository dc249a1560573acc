"""Find the internal links of built pages that lead nowhere: pages, anchors, pictures and other files.

    python docs/check_links.py docs/_build/html

Links to other sites are not followed. Lists what is broken, and then fails.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and the anchors that others can link to."""

    def __init__(self, html):
        super().__init__()
        self.links, self.anchors = set(), {"", "top"}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs.get("id"), attrs.get("name")}
        self.links |= {attrs.get("href"), attrs.get("src")} - {None}
        self.links |= {part.split()[0] for part in (attrs.get("srcset") or "").split(",") if part.strip()}


def broken_links(folder):
    """Lines that tell the page, the link and what is missing."""
    folder = folder.resolve()
    paths = sorted(path for path in folder.rglob("*.html") if path.relative_to(folder).parts[0] != "_static")
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in paths}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not link:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            missing = None
            if not target.is_file():
                missing = "no such file"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                missing = "no such anchor"
            if missing:
                yield f"{path.relative_to(folder)}: {link}: {missing}"


def main(folder):
    broken = list(broken_links(Path(folder)))
    print(*broken, f"{len(broken)} broken internal links", sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
