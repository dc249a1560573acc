"""How Sphinx builds the site; docs/README.md has the command."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # gallery, floors

import floors
import mathjax
import sphobjinv
from sphinx.util.fileutil import copy_asset

import linear_hinge

HERE = Path(__file__).parent

project = "linear-hinge"
author = "The linear-hinge developers"
copyright = author
version = release = linear_hinge.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "README.md", "examples"]
templates_path = ["_templates"]
nitpicky = True
default_role = "literal"  # as docstrings use single backticks
mathjax_path = "mathjax/tex-chtml.js"  # copied below
mathjax3_config = {"options": {"enableMenu": False}}  # which would load more
smartquotes = False  # quotation marks are code here, and the links of the estimator look for them
toc_object_entries_show_parents = "hide"

# The page of a class is api/linear_hinge.CLASS.html, which is where `_doc_link_template` of the estimator points.
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "doc_module": "linear_hinge",
    "backreferences_dir": "_backreferences",
    "within_subsection_order": "gallery.Order",
    "reset_modules": ("gallery.reset_style",),
    "image_srcset": ["2x"],
    "show_memory": False,
    "write_computation_times": False,
    "download_all_examples": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "linear-hinge"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_use_index = html_domain_indices = False  # the API reference is short enough to look at
html_theme_options = {
    "logo": {"text": "linear-hinge"},
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
# Pages without pages below them have nothing to show on the left.
html_sidebars = {page: [] for page in ("start", "gradient", "benchmarks", "changes", "contributing")}

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


def write_inventory():
    """What scikit-learn's pages are called, from the names that are listed here, so that a build needs no network."""
    text = (HERE / "sklearn-inventory.txt").read_bytes()
    path = HERE / "_generated" / "sklearn.inv"
    path.parent.mkdir(exist_ok=True)
    sphobjinv.writebytes(path, sphobjinv.compress(sphobjinv.Inventory(text).data_file()))
    return str(path)


intersphinx_mapping = {"sklearn": ("https://scikit-learn.org/stable", write_inventory())}


def copy_mathjax(app, exception):
    """MathJax and its fonts beside the pages, which show formulas without network."""
    if exception is None and app.builder.format == "html":
        package, out = (
            Path(mathjax.__file__).parent / "static" / "mathjax" / "es5",
            Path(app.outdir) / "_static" / "mathjax",
        )
        fonts = Path("output", "chtml", "fonts", "woff-v2")
        copy_asset(package / "tex-chtml.js", out)
        copy_asset(package / fonts, out / fonts)


def setup(app):
    app.connect("builder-inited", lambda app: floors.write(Path(app.srcdir) / "_generated" / "floors.svg"))
    app.connect("build-finished", copy_mathjax)
