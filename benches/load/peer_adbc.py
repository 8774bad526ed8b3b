"""A peer of row c: pyarrow reads the file in record batches, adbc sends them as binary COPY.

    peer_adbc.py FILE URL      prints the seconds that it took, imports left out
"""

import sys
import time

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from pyarrow import csv

FEE = pa.float64()  # what pyarrow takes fees for by itself; its decimals take adbc half as long again
TYPES = {
    **{name: pa.string() for name in ("CONTRACT_ID", "PLAN_ID", "SEGMENT_ID", "PHARMACY_NUMBER", "PHARMACY_ZIPCODE")},
    **{name: pa.bool_() for name in ("PREFERRED_STATUS_RETAIL", "PREFERRED_STATUS_MAIL", "PHARMACY_RETAIL",
                                     "PHARMACY_MAIL", "IN_AREA_FLAG")},
    "FLOOR_PRICE": FEE,
    **{f"{kind}_DISPENSING_FEE_{days}": FEE for kind in ("BRAND", "GENERIC", "SELECTED") for days in (30, 60, 90)},
}


def batches(path):
    """The file's rows, typed, with the column names of CMS in lower case."""
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=16 << 20),
        parse_options=csv.ParseOptions(delimiter="|", quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=TYPES, null_values=[" ", "."], strings_can_be_null=True,
            true_values=["Y", "1"], false_values=["N", "0"]),
    )
    schema = pa.schema([(name.lower(), kind) for name, kind in zip(reader.schema.names, reader.schema.types)])
    return schema, (pa.record_batch(batch.columns, schema=schema) for batch in reader)


if __name__ == "__main__":
    file, url = sys.argv[1:]
    began = time.monotonic()
    schema, rows = batches(file)
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("pharmacy_networks", pa.RecordBatchReader.from_batches(schema, rows), mode="create")
        connection.commit()
    print(time.monotonic() - began)
