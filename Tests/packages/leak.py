# SPDX-License-Identifier: Apache-2.0
"""A socket in CLOSE-WAIT on the loopback, for as long as this value lives."""
import socket


class Leak:
    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(self.listener.getsockname())
        self.leaked, _ = self.listener.accept()
        client.close()
        self.leaked.recv(1)  # the FIN is here
        return self

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.leaked.close()
        self.listener.close()
