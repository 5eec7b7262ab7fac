"""Training runs: started, followed, resumed, registered."""
