"""`render`: the results as one self-contained page.

The page asks nobody for anything: styles, the drawing library (once) and its data are inside, fonts are the
system's, and a content policy forbids the network. Scripts run only where their SHA-256 stands in that
policy, so text from the results can never become code, even if it were not escaped.

Plotly's library is 4.8 MB of text. A page with figures carries it compressed (LZMA) and in base 85, 1.4 MB;
`unpack.js` unpacks it in the reader's browser once the words are on the screen. The policy knows it by the
hash of its text, as any other script.
"""

import base64
import hashlib
import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.drawing.figures import DARK, inside_script
from backproof.comparisons.report import chapters
from backproof.comparisons.report.answer import Answer, answer
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.pictures import legend

_FIGURE = 'class="plot"'

_POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class _Script:
    """A script element of the page, and what the content policy calls it."""

    text: str

    @property
    def source(self) -> Markup:
        return Markup(self.text)  # ours, never a value from the results

    @property
    def digest(self) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}'"


# Characters of base 85 that mean something to a reader of HTML, and others that it leaves free.
_PLAIN = str.maketrans("<>&", ",.:")
# What `unpack.js` reads.
_FILTERS = [{"id": lzma.FILTER_LZMA1, "preset": 6, "lc": 3, "lp": 0, "pb": 0}]


@dataclass(frozen=True)
class _Packed:
    """A script as the page carries it: LZMA, in base 85 of characters that HTML leaves alone."""

    text: Markup
    n_bytes: int  # of the script
    digest: str


@cache
def _library() -> _Packed:
    script = _Script(get_plotlyjs())
    plain = script.text.encode()
    small = lzma.compress(plain, format=lzma.FORMAT_ALONE, filters=_FILTERS)
    packed = base64.b85encode(small, pad=True).decode().translate(_PLAIN)
    return _Packed(Markup(packed), len(plain), script.digest)


def render(results: Results, lessons_page: str | None = None) -> str:
    """The whole page as text; the same results always give the same text.

    `lessons_page` is the address of the lessons' own page, if there is one beside this page.
    """
    return document(answer(results), chapters.sections(results, lessons_page))


def document(said: Answer, sections: Sequence[Section]) -> str:
    """A page that begins with this answer and goes on with these chapters."""
    library = _library() if any(_FIGURE in one.html for one in sections) else None
    scripts = [_Script(_template_text(name)) for name in ("unpack.js", "page.js")]
    hashes = [*([library.digest] if library else []), *(script.digest for script in scripts)]
    return markup.from_template(
        "backproof.comparisons.report",
        "page.html.j2",
        answer=said,
        legend=legend(said.shown),
        dark_colours=inside_script(json.dumps(DARK)),
        library=library,
        policy=Markup(_POLICY.format(hashes=" ".join(hashes))),
        scripts=scripts,
        sections=[replace(section, html=_numbered(section)) for section in sections],
        style=Markup(_template_text("style.css")),
    )


def _numbered(section: Section) -> Markup:
    """The chapter with an anchor for each of its figures, so that one can be pointed to."""
    first, *figures = str(section.html).split('<figure class="plot-figure"')
    anchors = (
        f'<figure id="{section.key}-figure-{i}" class="plot-figure"' for i in range(1, len(figures) + 1)
    )
    return Markup(first + "".join(f"{anchor}{rest}" for anchor, rest in zip(anchors, figures, strict=True)))


def _template_text(name: str) -> str:
    return files("backproof.comparisons.report").joinpath("templates", name).read_text(encoding="utf-8")
