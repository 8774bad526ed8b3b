"""What ran where: cores, memory, kernel, versions."""

import os
import platform
import re
from pathlib import Path

from servers import run


def facts(kiln):
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1))
    return {
        "cores": os.cpu_count(), "model": cpu.group(1) if cpu else platform.processor(),
        "memory_gib": round(memory / 2**20, 1), "kernel": platform.release(),
        "kiln": run([kiln, "--version"]).strip(), "debug_build": "debug" in Path(kiln).parts,
        "load_before": load(),
    }


def load():
    """Load averages: what else ran."""
    return [round(x, 2) for x in os.getloadavg()]
