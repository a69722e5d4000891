"""A server that speaks S3, for `bucket.py`: moto on loopback, one request at a time, because moto looks first and writes then.
`--deaf` takes the condition out of every request, as a clone does that knows none. `GET /-/count` answers with the number of
requests so far. Prints its address when it listens.
"""
import argparse
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class OneAtATime:
    def __init__(self, application, deaf):
        self.application, self.deaf, self.lock, self.count = application, deaf, threading.Lock(), 0

    def __call__(self, environment, start):
        with self.lock:
            if environment["PATH_INFO"] == "/-/count":
                start("200 OK", [("Content-Type", "text/plain")])
                return [str(self.count).encode()]
            self.count += 1
            if self.deaf:
                environment.pop("HTTP_IF_NONE_MATCH", None)
            return list(self.application(environment, start))


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deaf", action="store_true")
    application = OneAtATime(DomainDispatcherApplication(create_backend_app), parser.parse_args().deaf)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
