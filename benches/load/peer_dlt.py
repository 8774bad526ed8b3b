"""A peer of row c: dlt with its fastest way to Postgres, Arrow tables through CSV and COPY.

    peer_dlt.py FILE URL FOLDER      prints the seconds that it took, imports left out
"""

import os
import sys
import time
from urllib.parse import quote

folder = sys.argv[3]
os.environ.update({
    "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR",
    "DLT_DATA_DIR": folder, "DLT_PROJECT_DIR": folder,
})

import dlt  # noqa: E402  after the variables that it reads
import pyarrow as pa  # noqa: E402

from peer_adbc import batches  # noqa: E402


@dlt.resource(name="pharmacy_networks", write_disposition="append")
def network(path):
    _, rows = batches(path)
    for batch in rows:
        yield pa.Table.from_batches([batch])


def credentials(url):
    """What dlt asks for, a password with it; the server here wants none."""
    from peers import parse_url
    parts = parse_url(url)
    known = {"database": parts.pop("dbname"), "username": parts.pop("user"), "password": "none",
             "host": quote(parts.pop("host"), safe=""), "port": int(parts.pop("port"))}
    return {"drivername": "postgresql", **known, "query": parts}


if __name__ == "__main__":
    file, url = sys.argv[1:3]
    began = time.monotonic()
    pipeline = dlt.pipeline("kiln_bench", pipelines_dir=f"{folder}/pipelines", dataset_name="public",
                            destination=dlt.destinations.postgres(credentials(url)))
    pipeline.run(network(file), loader_file_format="csv").raise_on_failed_jobs()
    print(time.monotonic() - began)
