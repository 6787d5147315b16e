"""Runs a command and says as JSON how long it took and the most memory it had; nothing large is imported.

A new process counts the memory of the one that it comes from, so it must come from a small one.
"""

import json
import os
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """What the command is told comes from stdin; the record goes to stdout. Gives its exit code."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    record = {
        "wall": time.perf_counter() - began,
        "processor": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
        "said": said.strip(),
    }
    print(json.dumps(record))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
