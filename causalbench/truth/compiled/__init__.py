"""The compiled engine: plan and eliminate in one pass of machine code.

`packing` lays a world out in flat arrays and `names` a query; `nodes` builds the parallel worlds
that it asks of, `factors` and `ordering` plan, `products`, `eliminating` and `solving` work the
answer out, `running` goes through pairs. `doors` is what the rest of the package calls; it alone
loads numba, on first use.
"""
