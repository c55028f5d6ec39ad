"""Where work is done: on this machine's cores now, on other machines behind the same call."""
