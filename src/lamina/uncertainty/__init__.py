"""How sure a trained network is: its posterior, what each data point did, and intervals."""
