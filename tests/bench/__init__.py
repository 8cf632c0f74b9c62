"""`make bench`: the planner measured beside a greedy floor and the bare LP, on scenarios made here.

Modules, by subject: `trade` (goods, kits), `generate` (scenarios), `greedy` (the floor), `bare_lp` (the
yardstick of time), `child` (one measured process), `runs` (starts them), `growth` (arithmetic), `report`
(Markdown and SVG). Nothing here is part of the product, and pytest collects nothing here.
"""
