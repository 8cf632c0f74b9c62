"""How much work a plan of a test is: the same plan comes of it, whatever else the machine does."""

EFFORT = {"time_limit_s": 60, "work_limit": 10_000}
