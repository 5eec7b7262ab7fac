"""Live sessions: webcam frames over a WebSocket, answered one by one."""
