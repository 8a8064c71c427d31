"""What docker-py gets of calls whose output may come right behind the head.

Such a call takes the socket away from the HTTP library that has read the head, and
what that library has read beyond it is lost, without an error. Told is how many
calls were whole, and of the others what came.
"""
import sys

import docker

IMAGE, NAME, EXECS, ATTACHES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def tell(what, outputs):
    whole = [got == want for got, want in outputs]
    broken = [got for got, want in outputs if got != want]
    print(what, sum(whole), "of", len(whole), broken[:3])


def execs(api, container):
    for i in range(EXECS):
        job = api.exec_create(container, ["echo", str(i)])
        yield api.exec_start(job["Id"]), b"%d\n" % i


def attaches(api):
    for _ in range(ATTACHES):
        c = api.create_container(IMAGE, ["echo", "hello"], host_config=api.create_host_config(network_mode="none"))
        api.start(c)
        api.wait(c)
        yield api.attach(c, stream=False, logs=True), b"hello\n"
        api.remove_container(c)


def main():
    client = docker.from_env(version="1.41", timeout=60)
    c = client.containers.run(IMAGE, ["sleep", "3600"], name=NAME, detach=True, network_mode="none")
    try:
        tell("exec", list(execs(client.api, c.id)))
        tell("attach", list(attaches(client.api)))
    finally:
        c.remove(force=True)


main()
