"""The journal of a run: its entries, how it is written and read back, and what is kept of past ones."""
