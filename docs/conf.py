"""How Sphinx builds the documentation: no network, and every warning is an error (`make docs`)."""

import sys
from pathlib import Path

import lamina

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Lamina"
author = "The Lamina developers"
copyright = author  # noqa: A001 - Sphinx looks for this name
version = release = lamina.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "citations",
    "mathml",
    "plain_docstrings",
]
exclude_patterns = ["gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.zip"]
nitpicky = True
nitpick_ignore = [("py:exc", "NotFittedError")]  # of scikit-learn, whose inventory is not fetched

html_theme = "furo"
html_title = f"Lamina {version}"
html_static_path = ["_static"]
html_css_files = ["lamina.css"]
html_copy_source = html_show_sourcelink = False
pygments_dark_style = "github-dark"
html_math_renderer = "mathml"

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Docstrings name types in words, "matrix, S_0 × N", which are no names of classes to link to.
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
toc_object_entries_show_parents = "hide"
autodoc_default_options = {"members": True}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery_order.key",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 1e9,  # a time of this machine says little of another
    "remove_config_comments": True,
    "write_computation_times": False,
    "ignore_repr_types": r"lamina\.reports|matplotlib",  # drawn, so not printed too
}
