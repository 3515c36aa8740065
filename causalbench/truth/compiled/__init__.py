"""The compiled engine: plan and eliminate in one pass of machine code."""
