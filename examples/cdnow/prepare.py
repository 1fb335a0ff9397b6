#!/usr/bin/env python3
"""Makes cdnow.db from CDNOW_master.txt, which the PyPI package `lifetimes` carries.

    prepare.py FOLDER

The file is taken out of the package and left in FOLDER beside the database; neither is committed. Needs nothing but
Python and pip.
"""

import hashlib
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"
PURCHASES, CUSTOMERS = 69_659, 23_570

TABLES = """
    CREATE TABLE customers (id INTEGER PRIMARY KEY);
    CREATE TABLE purchases (
        id           INTEGER PRIMARY KEY,
        customer_id  INTEGER NOT NULL REFERENCES customers (id),
        purchased_on INTEGER NOT NULL, -- 19970101, as in the file
        quantity     INTEGER NOT NULL,
        amount       TEXT NOT NULL     -- 11.77, as in the file
    );
"""


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / "CDNOW_master.txt"
    if not raw.exists() or not is_the_file(raw.read_bytes()):
        raw.write_bytes(download(folder))
    rows = parse(raw.read_text("ascii"))
    customers = sorted({row[0] for row in rows})
    if (len(rows), len(customers)) != (PURCHASES, CUSTOMERS):
        sys.exit(f"expected {PURCHASES} purchases of {CUSTOMERS} customers, found {len(rows)} of {len(customers)}")
    write(folder / "cdnow.db", customers, rows)
    print(f"{len(rows)} purchases of {len(customers)} customers in {folder / 'cdnow.db'}")


def is_the_file(content):
    return hashlib.sha256(content).hexdigest() == SHA256


def download(folder):
    """The bytes of the file, out of the package's wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--only-binary", ":all:", "--dest", folder, PACKAGE], check=True)
    (wheel,) = folder.glob("[Ll]ifetimes-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
    if not is_the_file(content):
        sys.exit(f"{MEMBER} in {wheel.name} is not the file of which the counts are known")
    return content


def parse(text):
    """Rows of (customer, date, quantity, amount): the first line is a header, blanks part the columns."""
    rows = []
    for line in text.splitlines()[1:]:
        customer, day, quantity, amount = line.split()
        rows.append((int(customer), int(day), int(quantity), amount))
    return rows


def write(path, customers, rows):
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    with database:
        database.executescript(TABLES)
        database.executemany("INSERT INTO customers VALUES (?)", ((customer,) for customer in customers))
        database.executemany("INSERT INTO purchases VALUES (NULL, ?, ?, ?, ?)", rows)
    database.close()


if __name__ == "__main__":
    main()
