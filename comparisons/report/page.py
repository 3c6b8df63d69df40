"""`render`: the results as one self-contained page.

The page asks nobody for anything: styles, the drawing library (once) and its data are inside, fonts are the
system's, and a content policy forbids the network. Scripts run only where their SHA-256 stands in that
policy, so text from the results can never become code, even if it were not escaped.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.figures import DARK, inside_script
from backproof.comparisons.report import chapters
from backproof.comparisons.report.answer import answer
from backproof.comparisons.report.document import Results

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
        return Markup(self.text)  # ours or a section's own code, never a value from the results

    @property
    def digest(self) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}'"


def render(results: Results) -> str:
    """The whole page as text; the same results always give the same text."""
    sections = chapters.sections(results)
    scripts = [_Script(get_plotlyjs()), _Script(_template_text("page.js"))]
    scripts += [_Script(section.script) for section in sections if section.script]
    return markup.from_template(
        "backproof.comparisons.report",
        "page.html.j2",
        answer=answer(results),
        dark_colours=inside_script(json.dumps(DARK)),
        policy=Markup(_POLICY.format(hashes=" ".join(script.digest for script in scripts))),
        scripts=scripts,
        sections=sections,
        style=Markup(_template_text("style.css")),
    )


def _template_text(name: str) -> str:
    return files("backproof.comparisons.report").joinpath("templates", name).read_text(encoding="utf-8")
