"""Mappings: what documents mean, as data. No code lives here."""
