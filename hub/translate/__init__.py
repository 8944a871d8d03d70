"""Meaning: mapping files, made into functions that turn trees into canonical documents and back. Pure.

`mapfile.load` reads a mapping with all that it extends, `compile.compile_mapping` makes it run, twice: as closures, one
for each rule, which tell every problem of a document and explain it (`targets`, `segments`, `explain`), and as one
function that is written from the rules on first use (`straight`), several times as fast. A document goes straight; one
that is not in order, or has a shape that the function does not take, goes rule by rule. Both give the same.
"""
