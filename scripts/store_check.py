"""For store-check.sh: a server of S3, and looks into its buckets.

    serve                   prints its port, and those of two ways to it: one that looks at clocks, one that has no room; serves until it is killed
    bucket NAME             makes one
    count NAME PREFIX       entries, files, and files that no entry names
    kill NAME PREFIX N COMMAND…  runs it, and kills it (SIGKILL) when N objects are there; fails where it ends before
    reader                  prints the keys of somebody who may list and get, and nothing else
    ask COUNT               keys and rights are looked at from the COUNTth request on: 0, or `inf` for not at all
    change NAME PREFIX      changes a byte of the largest file of an entry, and prints its name
"""

import datetime
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request


def serve():
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    print(port, way(port, clocked), way(port, full), flush=True)
    while True:
        time.sleep(3600)


def clocked(request):
    """As S3 does where a request says that it was made more than a quarter of an hour ago, or will be."""
    asked = datetime.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%S%z")
    if abs(datetime.datetime.now(datetime.timezone.utc) - asked) > datetime.timedelta(minutes=15):
        return 403, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large."


def full(request):
    """As MinIO does on a full disk."""
    if request.command in ("PUT", "POST"):
        return 507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold."


def way(port, refuses):
    """A server before another one, which gets what is not refused."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {"content-type": "application/xml"}
            if refused := refuses(self):
                status, code, message = refused
                text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
            else:
                behind = http.client.HTTPConnection("127.0.0.1", port)
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                status, text, headers = answer.status, answer.read(), dict(answer.getheaders())
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("content-length", headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(text)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else text)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def reader():
    import boto3

    iam = boto3.client("iam", region_name="us-east-1")
    iam.create_user(UserName="reader")
    allowed = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])


def ask(count):
    url = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth"
    urllib.request.urlopen(urllib.request.Request(url, count.encode(), {"content-type": "text/plain"})).read()


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
    case ["reader"]:
        reader()
    case ["ask", count]:
        ask(count)
    case ["change", name, prefix]:
        change(name, prefix)
    case _:
        sys.exit(__doc__)
