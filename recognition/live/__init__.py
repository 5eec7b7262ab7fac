"""Live sessions: webcam frames over a WebSocket, each with its reply."""
