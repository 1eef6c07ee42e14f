"""Sphinx's settings. Build with tools/docs."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]

project = "Headrace"
author = "the Headrace authors"
copyright = "the Headrace authors; BSD-3-Clause"
release = re.search(r"project\(headrace VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
root_doc = "index"

myst_heading_anchors = 4  # the same names that GitHub gives headings, so that links work in both

highlight_language = "text"  # of blocks that name none
html_theme = "furo"
html_title = f"Headrace {release}"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
