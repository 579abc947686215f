"""Makes src/core/corpus/fixtures/parquet with pyarrow: small files in every form that the reader knows, and their rows.

Run from the repository's root, with pyarrow installed:  python tools/goldens/parquet_fixtures.py
"""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).resolve().parents[2] / "src/core/corpus/fixtures/parquet"

WORDS = "the expert layer router gate token prunes keeps Größe 模型 🙂 drop saliency".split()


def sentence(number: int, words: int) -> str:
    return " ".join(WORDS[(number * 7 + word * (word + 3)) % len(WORDS)] for word in range(words))


def texts(rows: int):
    """Ids, a text that is null at times and repeats at times, and a label of few values."""
    return {
        "id": list(range(rows)),
        "text": [None if row % 11 == 3 else "again" if row % 5 == 0 else sentence(row, 4 + row % 9) for row in range(rows)],
        "label": ["ab"[row % 2] for row in range(rows)],
    }


def chats(rows: int):
    messages = []
    for row in range(rows):
        if row % 13 == 4:
            messages.append(None)
            continue
        if row % 13 == 6:
            messages.append([])
            continue
        turns = [{"role": "user", "content": sentence(row, 5)}, {"role": "assistant", "content": sentence(row + 1, 7)}]
        if row % 3 == 0:
            turns.insert(0, {"role": "system", "content": "Be brief."})
        if row % 7 == 5:
            turns.append({"role": "user", "content": None})
        messages.append(turns)
    return {"prompt_id": [f"p{row}" for row in range(rows)], "messages": messages}


CHAT_TYPES = pa.schema(
    [("prompt_id", pa.string()), ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))]
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = {}

    def write(name: str, columns: dict, schema=None, **options) -> None:
        table = pa.table(columns, schema=schema)
        pq.write_table(table, FOLDER / f"{name}.parquet", **options)
        rows[name] = pq.read_table(FOLDER / f"{name}.parquet").to_pylist()

    small = {"row_group_size": 16, "data_page_size": 120, "write_batch_size": 4}
    for codec in ("none", "snappy", "gzip", "zstd"):
        write(f"text-{codec}", texts(40), compression=codec, **small)
    write("text-v2", texts(40), compression="snappy", data_page_version="2.0", **small)
    write("text-plain", texts(40), compression="zstd", use_dictionary=False, write_page_index=True, **small)
    write(
        "text-delta-length",
        texts(40),
        compression="snappy",
        use_dictionary=False,
        column_encoding={"text": "DELTA_LENGTH_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED", "label": "PLAIN"},
        **small,
    )
    write("chat-snappy", chats(30), CHAT_TYPES, compression="snappy", **small)
    write("chat-v2", chats(30), CHAT_TYPES, compression="zstd", data_page_version="2.0", **small)
    write(
        "conversations",
        {
            "source": ["a", "b"],
            "conversations": [
                [{"from": "human", "value": "1 + 1?"}, {"from": "gpt", "value": "2"}],
                [{"from": "system", "value": "Sum."}, {"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}],
            ],
        },
    )
    write(
        "instructions",
        {
            "instruction": ["Add.", "Name a colour."],
            "input": ["1 and 2", ""],
            "output": ["3", "Blue."],
            "weight": [0.5, 1.0],
        },
    )
    write(
        "tools",
        {
            "messages": [
                [
                    {"role": "user", "content": "Weather?", "tool_calls": None, "weight": 1, "masked": False},
                    {"role": "assistant", "content": None, "tool_calls": [{"name": "weather", "id": 7}], "weight": None, "masked": True},
                ]
            ],
            "tools": [json.dumps([{"type": "function", "function": {"name": "weather"}}])],
        },
    )
    # One page of several zstd blocks, matches reaching across them.
    long = " ".join(sentence(number % 97, 12) for number in range(6000))
    write("long-zstd", {"text": [long]}, compression="zstd", use_dictionary=False)
    write("long-snappy", {"text": [long[:150_000]]}, compression="snappy", use_dictionary=False)
    for name in ("long-zstd", "long-snappy"):
        rows[name] = [{"sha256": hashlib.sha256(rows[name][0]["text"].encode()).hexdigest()}]

    # Forms that are refused by name.
    write("brotli", texts(4), compression="brotli")
    write("delta-strings", texts(40), use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY", "id": "PLAIN", "label": "PLAIN"})
    for refused in ("brotli", "delta-strings"):
        del rows[refused]
    write("no-rows", {"text": pa.array([], pa.string())})
    write("numbers", {"a": [1, 2], "b": [0.5, None]})

    (FOLDER / "rows.json").write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
