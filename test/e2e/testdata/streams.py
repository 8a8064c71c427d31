"""What docker-py streams, each stream in its own way, to one line each.

Pieces come as they were cut on their way, so only what they make together is
shown: its size and its SHA-256, in Base64, since hexadecimal looks like an id.
"""
import base64
import hashlib
import io
import random
import socket
import sys
import tarfile
import threading

import docker

IMAGE = sys.argv[1]
NAME = "streams"


def unraisable(what):
    """Python 3.13 flushes an answer that docker-py has closed, and complains of it."""
    if not (what.exc_type is ValueError and "closed file" in str(what.exc_value)):
        sys.__unraisablehook__(what)


sys.unraisablehook = unraisable


def show(what, data, *more):
    print(what, len(data), base64.b64encode(hashlib.sha256(data).digest()).decode(), *more)


def noise(n):
    return random.Random(1).randbytes(n)


def exec_whole(c):
    code, out = c.exec_run(["sh", "-c", "echo out; echo err >&2; exit 5"], demux=True)
    print("exec", code, out)


def exec_stream(c):
    _, pieces = c.exec_run(["seq", "1", "100000"], stream=True)
    show("exec stream", b"".join(pieces))


def exec_demux(c):
    script = "seq 1 20000; seq 1 30000 >&2"
    _, pairs = c.exec_run(["sh", "-c", script], stream=True, demux=True)
    out, err = [], []
    for o, e in pairs:
        out.append(o or b"")
        err.append(e or b"")
    show("exec demux stdout", b"".join(out))
    show("exec demux stderr", b"".join(err))


def exec_socket(c):
    """A raw socket with a half-close: cat ends when its input has."""
    api = c.client.api
    job = api.exec_create(c.id, ["sh", "-c", "cat; sleep 1; echo late; exit 6"], stdin=True)
    handle = api.exec_start(job["Id"], socket=True)
    sock = getattr(handle, "_sock", handle)
    sock.settimeout(60)
    data = noise(1000000)

    def send():
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    out = b"".join(piece for _, piece in docker.utils.socket.frames_iter(handle, tty=False))
    sender.join()
    show("exec socket", out, out.startswith(data), out[len(data):])
    print("exec socket code", api.exec_inspect(job["Id"])["ExitCode"])
    handle.close()


def logs_follow(c):
    """The stream ends with the container, not before.

    The container waits until all is there: an engine may leave out the end of what is
    written just before the end, on a busy machine and without a bridge as well.
    """
    out, whole = b"", 2 * len("".join("%d\n" % i for i in range(1, 5001)))
    for piece in c.logs(stream=True, follow=True):
        if not out:
            c.exec_run(["touch", "/tmp/more"])
        out += piece
        if len(out) == whole:
            c.exec_run(["touch", "/tmp/end"])
    show("logs", out, c.wait())


def archives(c):
    data = noise(3000000)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as t:
        entry = tarfile.TarInfo("noise")
        entry.size, entry.mode = len(data), 0o640
        t.addfile(entry, io.BytesIO(data))
    print("put", c.put_archive("/tmp", tar.getvalue()))
    pieces, stat = c.get_archive("/tmp/noise")
    back = io.BytesIO(b"".join(pieces))
    with tarfile.open(fileobj=back) as t:
        show("get", t.extractfile("noise").read(), stat["name"], stat["size"], oct(t.getmember("noise").mode & 0o7777))


def main():
    client = docker.from_env(version="1.41", timeout=60)
    script = "seq 1 5000; until [ -e /tmp/more ]; do sleep 0.1; done; seq 1 5000; until [ -e /tmp/end ]; do sleep 0.1; done; exit 7"
    c = client.containers.run(IMAGE, ["sh", "-c", script], name=NAME, detach=True, network_mode="none")
    try:
        for step in exec_whole, exec_stream, exec_demux, exec_socket, archives, logs_follow:
            step(c)
    finally:
        c.remove(force=True)
    print(client.containers.list(all=True, filters={"name": NAME}))


main()
