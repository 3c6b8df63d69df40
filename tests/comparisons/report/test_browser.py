"""The page in a real browser, where there is one: every figure is drawn, nothing complains."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from backproof.comparisons.report import page as html
from tests.support.page_reader import read
from tests.support.sample_results import hostile, passing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0",
    "--virtual-time-budget=20000",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    return found


@pytest.mark.parametrize("make", [passing, hostile])
def test_a_browser_draws_every_figure_without_a_complaint(browser: str, tmp_path: Path, make: object) -> None:
    assert callable(make)
    page = tmp_path / "report.html"
    page.write_text(html.render(make()), encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    run = subprocess.run(
        [browser, *FLAGS, profile, "--dump-dom", page.as_uri()],
        capture_output=True, timeout=120, check=True, encoding="utf-8",
    )  # fmt: skip
    assert not re.findall(r".*CONSOLE.*", run.stderr)
    drawn = [
        plot for plot in read(run.stdout).all("div") if "js-plotly-plot" in plot.attributes.get("class", "")
    ]
    assert len(drawn) == len(read(page.read_text(encoding="utf-8")).all("figure"))
    assert all(plot.all("svg") for plot in drawn)
