#!/usr/bin/env python3
"""Writes the tables of `tests/data/parquet`: what another implementation makes of chats, and of what are none. Needs pyarrow (made with 26.0.1).

    scripts/parquet.py tests/data/parquet
"""
import json
import pathlib
import sys

import pyarrow
from pyarrow import parquet

MESSAGE = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])


def chat(number):
    """The chat of a number: one question and answer or two, every third with a system text."""
    turns = [("user", f"Is {number} even?"), ("assistant", "yes" if number % 2 == 0 else "no")]
    if number % 5 == 0:
        turns += [("user", "Why? \u00e4\u4f60\U0001f600"), ("assistant", f"{number} / 2 = {number / 2}" + " indeed" * (number % 7))]
    if number % 3 == 0:
        turns.insert(0, ("system", "Be brief."))
    return [{"role": role, "content": content} for role, content in turns]


def write(name, columns, **options):
    parquet.write_table(pyarrow.table(columns), folder / name, **options)


folder = pathlib.Path(sys.argv[1])
chats = [chat(number) for number in range(40)]
messages = pyarrow.array(chats, pyarrow.list_(MESSAGE))
ids = pyarrow.array(range(40))
with_ids = {"id": ids, "messages": messages, "tags": pyarrow.array([["a", "b"]] * 40)}
write("snappy.parquet", with_ids, row_group_size=16)
write("zstd.parquet", {"messages": messages}, compression="zstd", data_page_version="2.0", data_page_size=256)
write("plain.parquet", {"messages": messages}, compression="none", use_dictionary=False, data_page_size=256, write_batch_size=8)
write("gzip.parquet", {"messages": messages}, compression="gzip")
write("delta.parquet", {"messages": messages}, use_dictionary=False, column_encoding={
    "messages.list.element.role": "DELTA_LENGTH_BYTE_ARRAY", "messages.list.element.content": "DELTA_BYTE_ARRAY"})
write("other.parquet", {"id": ids, "text": pyarrow.array(["a"] * 40)})
write("strings.parquet", {"messages": pyarrow.array(["a"] * 40)})
numbers = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.int64())])
write("numbers.parquet", {"messages": pyarrow.array([[{"role": "user", "content": 3}]], pyarrow.list_(numbers))})
named = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string()), ("name", pyarrow.string())])
write("named.parquet", {"messages": pyarrow.array([[{"role": "user", "content": "a", "name": "b"}]], pyarrow.list_(named))})
holes = chats[:20] + [[{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]]
write("holes.parquet", {"messages": pyarrow.array(holes, pyarrow.list_(MESSAGE))}, row_group_size=16)
write("missing.parquet", {"messages": pyarrow.array(chats[:3] + [None, []], pyarrow.list_(MESSAGE))})
for name, size in [("large.parquet", 257), ("long.parquet", 65)]:
    told = [[{"role": "user", "content": "a" * (size << 20)}, {"role": "assistant", "content": "no"}]]
    write(name, {"messages": pyarrow.array(told, pyarrow.list_(MESSAGE))}, compression="zstd", use_dictionary=False, write_statistics=False)
(folder / "chats.jsonl").write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats))
