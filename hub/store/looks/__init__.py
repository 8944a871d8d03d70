"""What the console shows, read with bounded queries: an index leads to every row, and no table is counted whole."""
