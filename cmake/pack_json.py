"""pack_json.py OUTPUT FILE...: one JSON array of the documents, packed, to be embedded.

Eight bytes of size, least significant first, then the text in zlib's format: an eighth of the files."""
import json
import pathlib
import sys
import zlib

documents = [json.loads(pathlib.Path(name).read_text(encoding="utf-8")) for name in sys.argv[2:]]
text = json.dumps(documents, separators=(",", ":"), ensure_ascii=True).encode()
pathlib.Path(sys.argv[1]).write_bytes(len(text).to_bytes(8, "little") + zlib.compress(text, 9))
