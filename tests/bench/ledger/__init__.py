"""The ledger part of `make bench`: single movements, batches, holds, stock queries, the planner's snapshot.

Modules: `house` (a PostgreSQL with durability on, databases, goods), `bare` (the endpoint to compare with), `client`
(what sends requests), `measures` (one function a measure), `growth` (databases of many entries), `report` (the page).
Each ratio comes from turns taken side by side in one run.
"""
