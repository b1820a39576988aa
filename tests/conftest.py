"""What holds for every test."""

from hypothesis import settings

# No deadline: a first call compiles. The blob repeats a failure; pytest prints the other seed.
settings.register_profile("lamina", deadline=None, print_blob=True)
settings.load_profile("lamina")
