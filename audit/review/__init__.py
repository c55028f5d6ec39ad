"""The command `audit review`: a desk on this machine at which people look at pictures and decide about them."""
