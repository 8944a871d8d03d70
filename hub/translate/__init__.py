"""Meaning: mapping files, made into closures that turn trees into canonical documents and back. Pure.

`mapfile.load` reads a mapping with all that it extends, `compile.compile_mapping` makes it run.
"""
