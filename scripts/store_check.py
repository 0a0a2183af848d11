"""For store-check.sh: a server of S3, and looks into its buckets.

    serve                   prints its port, and serves until it is killed
    bucket NAME             makes one
    count NAME PREFIX       entries, files, and files that no entry names
    kill NAME PREFIX N COMMAND…  runs it, and kills it (SIGKILL) when N objects are there; fails where it ends before
    change NAME PREFIX      changes a byte of the largest file of an entry, and prints its name
"""

import json
import signal
import socket
import subprocess
import sys
import time


def serve():
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    print(port, flush=True)
    while True:
        time.sleep(3600)


def client():
    import boto3

    return boto3.client("s3")


def objects(bucket, prefix):
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def read(bucket, name):
    return client().get_object(Bucket=bucket, Key=name)["Body"].read()


def named(bucket, names):
    """By hash, the length of every file that an entry names."""
    entries = [json.loads(read(bucket, name)) for name in names if "/tasks/" in name]
    return {mark["blake3"]: mark["bytes"] for entry in entries for mark in entry["files"].values()}


def count(bucket, prefix):
    names = objects(bucket, prefix)
    blobs = {name.rsplit("/", 1)[1] for name in names if "/blobs/" in name}
    wanted = set(named(bucket, names))
    assert wanted <= blobs, f"an entry names what is not there: {wanted - blobs}"
    print(len([name for name in names if "/tasks/" in name]), len(blobs), len(blobs - wanted))


def kill(bucket, prefix, most, command):
    s3 = client()
    there = lambda: s3.list_objects_v2(Bucket=bucket, Prefix=prefix + "/")["KeyCount"]
    assert there() == 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while there() < most and process.poll() is None:
        pass
    process.kill()
    if process.wait() != -signal.SIGKILL:
        sys.exit(3)


def change(bucket, prefix):
    marks = named(bucket, objects(bucket, prefix))
    content = max(marks, key=lambda content: (marks[content], content))
    name = f"{prefix}/blobs/{content[:2]}/{content}"
    body = bytearray(read(bucket, name))
    body[len(body) // 2] ^= 1
    client().put_object(Bucket=bucket, Key=name, Body=bytes(body))
    print(name)


match sys.argv[1:]:
    case ["serve"]:
        serve()
    case ["bucket", name]:
        client().create_bucket(Bucket=name)
    case ["count", name, prefix]:
        count(name, prefix)
    case ["kill", name, prefix, most, *command]:
        kill(name, prefix, int(most), command)
    case ["change", name, prefix]:
        change(name, prefix)
    case _:
        sys.exit(__doc__)
