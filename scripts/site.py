"""The site: pages from the documents, the notebooks, the charts and the docstrings, built strictly.

python scripts/site.py          # into site/, with the notebooks played at a small size
python scripts/site.py --quick  # the notebooks as they are, without what they print
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
import yaml

from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.plots.showing import figure_of
from kokoromichi.analysis.plots.style import svg_text
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
BUILD: Final = ROOT / "build"
PAGES: Final = BUILD / "pages"
CONFIG: Final = BUILD / "mkdocs.yml"
DOCUMENTS: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Documents of the checkout's root, by what they are called on the site."""
NO_PAGES: Final = {"modules.md"}
"""The reference from the docstrings stands in its place."""
HOW_TO: Final = (
    ("Running the bot", "deploy.md"),
    ("Troubleshooting", "troubleshooting.md"),
    ("Commands", "commands.md"),
    ("At a glance", "quickref.md"),
    ("From the first KoKoroMichi", "reference.md"),
    ("Security", "security.md"),
    ("Contributing", "contributing.md"),
)
EXPLANATION: Final = (
    ("Architecture", "architecture.md"),
    ("The economy", "economy.md"),
    ("Metrics", "metrics.md"),
    ("The baseline", "baseline.md"),
    ("Licences", "licences.md"),
    ("Changes", "changelog.md"),
)
SMALL: Final = 'PLAYERS, DAYS, REPLICATIONS, ROUNDS, SEED, WORKERS = 60, 30, 2, 0, 7, "serial"'
"""How large the notebooks are played: a page shows how it is done, not what is true of the economy."""
CHART_OPTIONS: Final = {"event": "lucky_charm"}
PLAYED_SMALL: Final = """

!!! note
    Played here with 60 players for 30 days, so that the page is quick to make.

"""
GALLERY: Final = """# Every chart

Drawn from a small run of the baseline, 60 players for 30 days: each shows how it looks, none what is true.

```python
import kokoromichi as km

small = km.Scenario.load("baseline", players=60, days=30)
run = km.simulate(small, replications=2, seed=7)
```
"""
LINK: Final = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
CSS: Final = """.md-typeset table:not([class]) { display: block; overflow-x: auto; }
.md-typeset svg, .md-typeset img { max-width: 100%; height: auto; }
.jp-output, .md-typeset pre { overflow-x: auto; }
"""


def main(
    *, quick: Annotated[bool, typer.Option("--quick", help="Leave out what the notebooks print.")] = False
) -> None:
    """Write every page, and build the site of them."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    (PAGES / "site.css").write_text(CSS, encoding="utf-8")
    write_documents()
    tutorial = list(write_notebooks(quick=quick))
    write_gallery()
    reference = list(write_reference())
    decisions = sorted((PAGES / "adr").glob("*.md"))
    nav = [
        {"Home": "index.md"},
        {"Tutorial": tutorial},
        {"How to": [{title: page} for title, page in HOW_TO]},
        {"Gallery": "gallery.md"},
        {"Reference": reference},
        {
            "Explanation": [
                *({title: page} for title, page in EXPLANATION),
                {"Decisions": [f"adr/{path.name}" for path in decisions]},
            ]
        },
    ]
    paths = {"docs_dir": str(PAGES), "site_dir": str(ROOT / "site")}
    CONFIG.write_text(yaml.safe_dump({"INHERIT": "../mkdocs.yml", **paths, "nav": nav}), encoding="utf-8")
    run(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(CONFIG))
    typer.echo(f"The site is in {ROOT / 'site'}.")


def run(*command: str) -> None:
    """Run a tool in the checkout; what it says goes to the terminal."""
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - the environment's own tools
    if done.returncode:
        raise typer.Exit(done.returncode)


def write_documents() -> None:
    """The documents, with links that lead where the site has what they name."""
    sources = [ROOT / name for name in DOCUMENTS]
    sources += [path for path in (ROOT / "docs").rglob("*.md") if path.name not in NO_PAGES]
    for source in sources:
        target = page_of(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        target.write_text(with_links(text, source, target), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", PAGES / "images")


def page_of(source: Path) -> Path:
    """Where the site has a file of the checkout."""
    name = source.relative_to(ROOT).as_posix()
    if name in DOCUMENTS:
        return PAGES / DOCUMENTS[name]
    if source.name in NO_PAGES:
        return PAGES / "reference" / "index.md"
    if source.is_relative_to(ROOT / "docs"):
        return PAGES / source.relative_to(ROOT / "docs")
    return PAGES / "files" / f"{name.lstrip('.')}.txt"


def with_links(text: str, source: Path, target: Path) -> str:
    """A document's text as it links from its place on the site; files that are no page come as text."""

    def linked(found: re.Match[str]) -> str:
        named = (source.parent / found[1]).resolve()
        if not named.is_relative_to(ROOT) or not named.exists():
            return found[0]  # Told by the strict build.
        if named.is_dir():
            return "](" + ("../" * (len(target.relative_to(PAGES).parts) - 1)) + "index.md)"
        place = page_of(named)
        if place.is_relative_to(PAGES / "files"):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(named, place)
        up = "../" * (len(target.relative_to(PAGES).parts) - 1)
        return f"]({up}{place.relative_to(PAGES).as_posix()}{found[2] or ''})"

    return LINK.sub(linked, text)


def write_notebooks(*, quick: bool) -> Iterator[dict[str, str]]:
    """The notebooks as pages; answers their titles and places."""
    folder = PAGES / "tutorial"
    sized = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_bytes())
        for cell in notebook["cells"]:
            if "parameters" in cell["metadata"].get("tags", ()):
                cell["source"] = SMALL
        sized.append(BUILD / path.name)
        sized[-1].write_text(json.dumps(notebook), encoding="utf-8")
    options = [] if quick else ["--execute", "--ExecutePreprocessor.kernel_name=python3"]
    command = (sys.executable, "-m", "nbconvert", "--to", "markdown", "--log-level", "ERROR")
    run(*command, *options, "--output-dir", str(folder), *map(str, sized))
    for path in sized:
        page = folder / f"{path.stem}.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(
            with_links(without_padding(text), ROOT / "notebooks" / path.name, page), encoding="utf-8"
        )
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        yield {title[1] if title else path.stem: f"tutorial/{page.name}"}


def without_padding(text: str) -> str:
    """Tables and pictures as blocks of HTML: markdown takes an indented line for code."""
    return re.sub(r"(?m)^ {4,}(?=<)", "", text)


def write_gallery() -> None:
    """Every chart, drawn from one small run, with the lines that draw it."""
    played = simulate(Scenario.load("baseline", players=60, days=30), replications=2, seed=7)
    folder = PAGES / "gallery"
    folder.mkdir()
    parts = [GALLERY]
    for name, entry in CHARTS.items():
        option = CHART_OPTIONS.get(name)
        axes = getattr(played.plot, name)(*([option] if option else []))
        (folder / f"{name}.svg").write_text(svg_text(figure_of(axes)), encoding="utf-8")
        call = f'run.plot.{name}("{option}")' if option else f"run.plot.{name}()"
        said = (entry.draw.__doc__ or "").strip().splitlines()[0]
        parts.append(
            f"\n## {name}\n\n{said} It draws the metric [`{entry.metric}`](metrics.md).\n\n"
            f"```python\n{call}\n```\n\n![{name}](gallery/{name}.svg)\n"
        )
    (PAGES / "gallery.md").write_text("".join(parts), encoding="utf-8")


def write_reference() -> Iterator[dict[str, Any]]:
    """A page a package, of its modules' docstrings; answers their titles and places."""
    folder = PAGES / "reference"
    folder.mkdir()
    packages: dict[str, list[str]] = {}
    for path in sorted((ROOT / "kokoromichi").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__main__" or any(part.startswith("_") and part != "__init__" for part in parts):
            continue
        module = ".".join(part for part in parts if part != "__init__")
        package = module if parts[-1] == "__init__" else module.rpartition(".")[0]
        packages.setdefault(package, []).append(module)
    rows = [f"| [`{name}`]({name}.md) | {len(found)} |" for name, found in sorted(packages.items())]
    head = "# Reference\n\nMade of the docstrings.\n\n| package | modules |\n|---|---:|\n"
    (folder / "index.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    yield {"Packages": "reference/index.md"}
    for name, found in sorted(packages.items()):
        lines = "\n\n".join(_directive(module, whole=module != name) for module in sorted(found))
        (folder / f"{name}.md").write_text(f"# {name}\n\n{lines}\n", encoding="utf-8")
        yield {name: f"reference/{name}.md"}


def _directive(module: str, *, whole: bool) -> str:
    """What mkdocstrings reads: of a package's own file only what it says of itself."""
    return f"::: {module}" if whole else f"::: {module}\n    options: {{ members: false }}"


if __name__ == "__main__":
    typer.run(main)
