"""Syntax, pure: bytes to trees and back. No clock, no network, no files but the dictionaries that lie beside."""

from hub.codecs.plugin import hub_codecs

__all__ = ["hub_codecs"]
