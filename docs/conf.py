"""How Sphinx builds the site; docs/README.md has the command."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # gallery, floors

import floors

import linear_hinge

project = "linear-hinge"
author = "The linear-hinge developers"
copyright = author
version = release = linear_hinge.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "README.md", "examples"]
templates_path = ["_templates"]
nitpicky = True
default_role = "literal"  # as docstrings use single backticks
mathjax4_config = {"output": {"displayOverflow": "scroll"}}  # on narrow screens
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
html_show_sourcelink = False
html_use_index = html_domain_indices = False  # the API reference is short enough to look at
html_theme_options = {
    "logo": {"text": "linear-hinge"},
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
# Pages without pages below them have nothing to show on the left.
html_sidebars = {page: [] for page in ("start", "mathematics", "benchmarks", "changes", "contributing")}

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

SKLEARN = "https://scikit-learn.org/stable"
SKLEARN_LABELS = {  # of docstrings that are inherited
    "accuracy_score": "modules/model_evaluation.html#accuracy-score",
    "metadata_routing": "metadata_routing.html",
}


def link_to_sklearn(app, env, node, content):
    """Links to scikit-learn's pages, written down here so that a build needs no network."""
    target = node["reftarget"]
    if node["reftype"] == "term":
        uri = f"{SKLEARN}/glossary.html#term-{target}"
    elif target in SKLEARN_LABELS:
        uri = f"{SKLEARN}/{SKLEARN_LABELS[target]}"
    elif target.startswith("sklearn."):
        page = ".".join(target.split(".")[:4]) if target.split(".")[-2][0].isupper() else target
        uri = f"{SKLEARN}/modules/generated/{page}.html"
    else:
        return None
    from docutils import nodes

    return nodes.reference("", "", content, internal=False, refuri=uri)


def setup(app):
    app.connect("missing-reference", link_to_sklearn)
    app.connect("builder-inited", lambda app: floors.write(Path(app.srcdir) / "_generated" / "floors.svg"))
