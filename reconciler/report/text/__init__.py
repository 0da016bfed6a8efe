"""What a terminal shows: plans, outcomes, records and the rest, each in a module from it to text."""
