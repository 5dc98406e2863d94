#!/usr/bin/env bash
# A symbol as a Hive partition loses its zeros: written as 0050 (a Taiwanese ETF), pyarrow reads the folder back as the number 50,
# and 0050 and 050 become one. DuckDB reads the same folder as the text 0050.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyarrow==26.0.1 duckdb==2.0.1 <<'PYTHON'
import sys
import tempfile
from importlib.metadata import version

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

folder = tempfile.mkdtemp()
table = pa.table({"symbol": ["0050", "0056"], "close": [190.5, 38.2]})
ds.write_dataset(table, folder, format="parquet", partitioning=["symbol"], partitioning_flavor="hive")
back = ds.dataset(folder, partitioning="hive").to_table().column("symbol")
asked = duckdb.connect().execute(f"select distinct symbol from read_parquet('{folder}/*/*.parquet') order by 1").fetchall()
print("pyarrow", version("pyarrow"), back.type, sorted(back.to_pylist()), "- duckdb", version("duckdb"), asked)
sys.exit(0 if str(back.type) == "int32" and sorted(back.to_pylist()) == [50, 56] and asked == [("0050",), ("0056",)] else 1)
PYTHON
