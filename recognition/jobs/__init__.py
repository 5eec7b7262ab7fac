"""Work in the background, whatever it is: claimed, leased, retried, canceled, paused and shown."""
