"""Training-set duplicate and risk scanner for text-to-image models: the library.

It does not print, knows no command line and no engine; `pipelines` puts its stages in order.
"""

__version__ = "0.1.0"
