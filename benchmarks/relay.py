"""A connection that counts the bytes that pass, and breaks when it is told to."""

import socket
import threading


class Relay(threading.Thread):
    """Passes bytes on to the site and counts them; cuts connections when told to."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.target, self.sent, self.cut_after = port, 0, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]

    def run(self) -> None:
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        site = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.back, args=(site, client), daemon=True).start()
        while data := client.recv(2**16):
            self.sent += len(data)
            if self.cut_after and self.sent > self.cut_after:
                self.cut_after = 0
                client.shutdown(socket.SHUT_RDWR)
                break
            site.sendall(data)
        site.close()

    def back(self, site: socket.socket, client: socket.socket) -> None:
        try:
            while data := site.recv(2**16):
                client.sendall(data)
        except OSError:
            pass
