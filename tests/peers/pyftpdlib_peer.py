"""pyftpdlib with TLS: argv is folder, certificate, key, "explicit" or "implicit", and what may be done (elradfmw).

Prints its port. Runs in .peers/pyftpdlib.
"""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

root, certificate, key, mode, rights = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user("northwind", "correct horse", root, perm=rights)


class Handler(TLS_FTPHandler):
    """Refuses what is not protected."""

    tls_control_required = True
    tls_data_required = True

    def handle(self) -> None:
        if mode == "implicit":
            self.secure_connection(self.ssl_context)
        super().handle()


Handler.certfile, Handler.keyfile, Handler.authorizer = certificate, key, authorizer
server = FTPServer(("127.0.0.1", 0), Handler)
print(server.socket.getsockname()[1], flush=True)
server.serve_forever(handle_exit=False)
