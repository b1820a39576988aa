import json
import re
from contextlib import redirect_stdout
from html.parser import HTMLParser
from io import StringIO

import numpy as np
import pytest

import lamina


class Page(HTMLParser):
    """What a page consists of: tags, their attributes, ids and text."""

    EMPTY = frozenset({"meta", "br", "path", "use", "rect", "circle", "polyline"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.ids, self.text, self.references = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        """Note a tag and what it refers to."""
        self.tags.append(tag)
        self.open += [] if tag in self.EMPTY else [tag]
        for name, value in attributes:
            self.ids += [value] if name == "id" else []
            self.references += [value] if name in {"src", "href", "xlink:href", "action"} else []
            self.references += re.findall(r"url\(([^)]*)\)", value or "")

    def handle_startendtag(self, tag, attributes):
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attributes)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        """Close the last tag that is open, which must be this one."""
        assert tag in self.EMPTY or self.open.pop() == tag

    def handle_data(self, data):
        """Note the text."""
        self.text.append(data)


@pytest.fixture(scope="module")
def report(tables, models, tmp_path_factory):
    """Return a function that makes the page of a model, and what is said of it in JSON, once."""
    from lamina.cli import main

    made = {}

    def make(name):
        if name not in made:
            out = tmp_path_factory.mktemp("pages") / f"{name}.html"
            words = [str(models[name]), str(tables[name]), "-o", str(out), "--json"]
            with redirect_stdout(StringIO()) as said:
                assert main(["report", *words]) == 0
            made[name] = out.read_text("utf-8"), json.loads(said.getvalue())
        return made[name]

    return make


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_page_needs_no_other_file(report, name):
    """No script, image, style sheet or address: all that it refers to is in the page."""
    page = Page(report(name)[0])
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object", "embed"} & set(page.tags)
    assert page.references
    assert {reference[:1] for reference in page.references} == {"#"}
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"@import|url\((?!#)", report(name)[0])
    assert "default-src 'none'" in report(name)[0]


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_page_has_every_part(report, name):
    """Measures, diagnosis, predictions, inputs, training and network are there, with pictures."""
    text = " ".join(Page(report(name)[0]).text)
    parts = ["Diagnosis", "How good", "Which inputs matter", "How training went", "The network"]
    parts += ["Permutation importance", "Sensitivity", "Weights of layer 2", "Activations of layer"]
    parts += ["R²", "Residuals"] if name == "diabetes" else ["accuracy", "Confusion", "Calibration"]
    for part in parts:
        assert part in text
    assert Page(report(name)[0]).tags.count("svg") >= 15


def test_page_has_a_color_for_light_and_dark(report):
    """Every color of the pictures is a variable with a value for each."""
    page = report("iris")[0]
    pictures = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    used = set(re.findall(r"var\((--plot-\d+)\)", pictures))
    light, dark = page.split("prefers-color-scheme:dark", 1)
    assert used
    for variable in used:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark
    colors = set(re.findall(r"(?:fill|stroke): ?(#[0-9a-fA-F]+)", pictures))
    assert colors <= {"#000000"}  # a default of Matplotlib's, inside of definitions only


def test_report_says_what_was_found(run, report, models, tables):
    """The findings and the measures are in the JSON document, and the findings in the page."""
    page, document = report("diabetes")
    evaluated = run("evaluate", models["diabetes"], tables["diabetes"], "--json").document
    assert document["metrics"] == evaluated["metrics"]
    assert (document["rows"], document["target"]) == (442, "target")
    names = {finding["name"] for finding in document["findings"]}
    for name in names:
        assert name.capitalize() in page
    assert names <= {"stopped too early", "underfitting"}  # 20 epochs are few


def test_report_takes_tables_as_they_come(run, make_table, tmp_path):
    """Text, times, missing cells and names that look like HTML are columns like others."""
    random = np.random.default_rng(0)
    names = ["<script>alert(1)</script>", "kind", "day", "ok", "y"]
    rows = []
    for place in range(80):
        size, kind = random.normal(), ("red", "<b>blue</b>", "")[place % 3]
        day = np.datetime64("2020-01-01") + place
        y = size + (place % 3) + 0.1 * random.normal()
        rows.append(["" if place == 9 else size, kind, day, ("yes", "no")[place % 2], y])
    table, model, out = make_table(names, rows), tmp_path / "m.lamina", tmp_path / "m.html"
    words = ("--target", "y", "-o", model, "--hidden", "6", "--max-iter", "60", "--quiet")
    assert run("train", table, *words).code == 0
    result = run("report", model, table, "-o", out)
    assert (result.code, result.err) == (0, "")
    assert "80 rows" in " ".join(result.out.split())
    page = out.read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "kind" in " ".join(Page(page).text)


def test_report_keeps_an_existing_file(run, models, tables, tmp_path):
    """A page that exists is replaced only if told so, and a model never is written over."""
    out = tmp_path / "page.html"
    out.write_text("mine", "utf-8")
    result = run("report", models["iris"], tables["iris"], "-o", out)
    assert result.code == 1
    assert "--overwrite" in result.err
    assert out.read_text("utf-8") == "mine"
    result = run("report", models["iris"], tables["iris"], "-o", models["iris"], "--overwrite")
    assert result.code == 1
    assert lamina.load(models["iris"]).n_iter_ == 20


def test_report_without_matplotlib_names_the_extra(run, models, tables, tmp_path, monkeypatch):
    """The error is one line that says what to install, and no file is written."""
    monkeypatch.setattr("lamina.reports.base.find_spec", {}.get)
    result = run("report", models["iris"], tables["iris"], "-o", tmp_path / "page.html")
    assert result.code == 1
    assert "lamina[plot]" in result.err
    assert list(tmp_path.iterdir()) == []
