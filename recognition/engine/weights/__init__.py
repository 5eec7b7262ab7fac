"""The shipped networks and the scripts that make and measure them."""
