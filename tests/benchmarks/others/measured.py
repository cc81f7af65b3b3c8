"""Run a command and say what it cost: CPU seconds of it and its children, and the memory of the largest process.

    python measured.py COST.json COMMAND ARGUMENT...

A process of its own, and a small one: Linux counts as a new process's peak what the process that started it held.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    began = time.monotonic()
    process = subprocess.Popen(sys.argv[2:])
    _, status, usage = os.wait4(process.pid, 0)
    cost = {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": time.monotonic() - began,
        "gibibytes": usage.ru_maxrss / 2**20,
    }
    Path(sys.argv[1]).write_text(json.dumps(cost))
    sys.exit(os.waitstatus_to_exitcode(status))
