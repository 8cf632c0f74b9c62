"""How long a night's check takes, beside one plan that meets the planner's own goal."""
