"""Which θ: solvers, schedules, stopping, and the loop that joins them."""
