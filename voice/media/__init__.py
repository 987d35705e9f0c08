"""Open and decode media of anybody: containers, tracks with their times, and pipes."""
