"""Captions that a consumer renders as a template: written so that the rendering is the caption.

Nunjucks (promptfoo) and Jinja2 (PyRIT) run what stands in {{ }} and {% %}. Wrapping a caption in {% raw %} is not
enough: the caption may hold {% endraw %}; promptfoo replaces {{ name }} before it renders, inside raw too; PyRIT leaves
a value that holds {% for %} as it is, wrapper and all. So no brace of a caption is left to open a tag: each becomes the
template's own string of a brace, {{"{"}}. Captions without braces stay as they are.
"""

NOTHING = '{{""}}'
"""Renders to no character."""
_BRACE = '{{"{"}}'


def without_tags(caption: str) -> str:
    """A template, the same to Nunjucks and Jinja2, that renders to `caption` but for its line breaks."""
    pieces = (piece.replace("#}", "#" + NOTHING + "}") for piece in caption.split("{"))  # Nunjucks fails at a lone #}
    return _BRACE.join(pieces)
