"""Regular expressions: those of a schema's strings, as the server can be given them."""

from .ast import UnsupportedPattern
from .strings import regex_of
from .translate import any_text, translate

__all__ = ["UnsupportedPattern", "any_text", "regex_of", "translate"]
