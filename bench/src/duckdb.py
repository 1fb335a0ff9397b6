"""Imports the SQLite file into DuckDB's own format once, then times the query. Called by duckdb.rs."""

import csv, json, os, re, sqlite3, sys, tempfile, time
import duckdb

source, query = sys.argv[1:]
copy = source + ".duckdb"
if not os.path.exists(copy):
    print("importing into DuckDB …", file=sys.stderr)
    database = duckdb.connect(copy + ".unfinished")
    database.execute("SET enable_progress_bar = false")  # it goes to standard output
    tables = {
        "customers": "id BIGINT, name VARCHAR, city VARCHAR, joined_on VARCHAR",
        "orders": "id BIGINT, customer_id BIGINT, ordered_at VARCHAR, status VARCHAR, amount_cents BIGINT, points BIGINT",
    }
    for table, columns in tables.items():
        names = ", ".join(column.split()[0] for column in columns.split(", "))
        database.execute(f"CREATE TABLE {table} ({columns})")
        with tempfile.NamedTemporaryFile("w", newline="", suffix=".csv") as file:
            rows = sqlite3.connect(f"file:{source}?mode=ro", uri=True).execute(f"SELECT {names} FROM {table}")
            csv.writer(file).writerows(rows)
            file.flush()
            database.execute(f"COPY {table} FROM '{file.name}'")
    database.close()
    os.rename(copy + ".unfinished", copy)

with open(copy, "rb") as file:
    while file.read(1 << 20):
        pass
started, processor = time.perf_counter(), time.process_time()
database = duckdb.connect(copy, read_only=True)
database.execute("SET enable_progress_bar = false")
rows = database.execute(query).fetchall()
seconds, processor = time.perf_counter() - started, time.process_time() - processor
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024
print(json.dumps({
    "seconds": seconds, "processor_seconds": processor, "phases": {}, "peak_mib": peak,
    "levels": {level: count for level, count, _ in rows}, "checksum": int(sum(part for _, _, part in rows)),
}))
