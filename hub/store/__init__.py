"""The record: tables, one small repository each, and the two databases behind one seam."""
