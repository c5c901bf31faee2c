"""cold.py ENGINE FOLDER W is the smallest Python program that runs W on an engine:
it prints the output as JSON and waits for its standard input to end."""

import json
import sys

import engines

engine, folder, workload = sys.argv[1:]
with open(f"{folder}/workloads.json") as file:
    entry = json.load(file)[workload]
run, output = engines.ENGINES[engine]()(folder, workload, engines.inputs(folder, workload, entry), entry["output"])
run()
print(json.dumps(output().ravel().tolist()), flush=True)
sys.stdin.read()
