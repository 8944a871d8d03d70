"""`hub bench`: the parts that make input, run a hub as its users do, count what arrives, and prove it.

There is no way through the hub that only the bench takes: it starts `hub run`, `hub web`, `hub worker` and
`hub schedule` as processes, applies a configuration folder, and lets orders in by `POST /in/<connection>` and by a
watched folder.
"""
