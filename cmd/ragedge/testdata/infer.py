"""Run a model of ragedge by the client of somebody else: infer.py HOST:PORT TOKEN"""

import json
import sys

import numpy as np
import tritonclient.http as client

address, token = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}"}
board = client.InferenceServerClient(address)
assert board.is_server_live(headers=headers)
assert board.is_model_ready("room", headers=headers)
metadata = board.get_model_metadata("room", headers=headers)

inputs = []
for i, tensor in enumerate(metadata["inputs"]):
    rows = np.full((2, tensor["shape"][1]), i + 0.5, np.float32)
    inputs.append(client.InferInput(tensor["name"], list(rows.shape), tensor["datatype"]))
    inputs[-1].set_data_from_numpy(rows, binary_data=False)
wanted = [client.InferRequestedOutput(name, binary_data=False) for name in ("probabilities", "share")]
reply = board.infer("room", inputs, outputs=wanted, request_id="q1", headers=headers)
print(json.dumps({
    "id": reply.get_response()["id"],
    "version": reply.get_response()["model_version"],
    "probabilities": reply.as_numpy("probabilities").tolist(),
    "share": reply.as_numpy("share").tolist(),
}))
