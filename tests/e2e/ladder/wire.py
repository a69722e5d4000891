"""A line to a database that breaks or stalls at a chosen moment: a proxy on loopback that reads along."""
import socket
import threading


class Wire:
    """Forwards everything until a client says `word` for the first time; then it does `what`:

    `stall`    the word and all after it arrive nowhere, and the line stays open
    `cut`      the word does not arrive, and the line is closed
    `swallow`  the word arrives, its answer does not, and the line is closed
    """

    def __init__(self, port, word, what):
        self.port_behind, self.word, self.what = port, word.encode(), what
        self.done = threading.Event()
        self.server = socket.socket()
        self.sockets = [self.server]

    def __enter__(self):
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            _close(one)

    @property
    def port(self):
        return self.server.getsockname()[1]

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            behind = socket.create_connection(("127.0.0.1", self.port_behind))
            self.sockets += [client, behind]
            state = {"silent": False}
            threading.Thread(target=self._up, args=(client, behind, state), daemon=True).start()
            threading.Thread(target=self._down, args=(client, behind, state), daemon=True).start()

    def _up(self, client, behind, state):
        try:
            while said := client.recv(65536):
                if self.word in said and not self.done.is_set():
                    self.done.set()
                    if self.what == "stall":
                        # Read on, so that the client notices nothing.
                        while client.recv(65536):
                            pass
                        return
                    if self.what == "cut":
                        break
                    state["silent"] = True
                behind.sendall(said)
        except OSError:
            pass
        _close(client)
        _close(behind)

    def _down(self, client, behind, state):
        try:
            while said := behind.recv(65536):
                if state["silent"]:
                    break
                client.sendall(said)
        except OSError:
            pass
        _close(client)
        _close(behind)


def _close(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()
