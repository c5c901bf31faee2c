"""Takes a model some steps on, each with all labelled moments of a table and a learning rate of its own, as the
optimiser of the example does, and prints the losses before each step as JSON.

    python3 torch_steps.py EXAMPLE MODEL TABLE RATE...
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

import torch
from torch.nn import functional as F

from moments import Moments
from regiongate import RegionGate
from train import make_optimizer

torch.set_num_threads(1)
model, moments = RegionGate.load(sys.argv[2]), Moments(sys.argv[3])
regions, lengths, label, _ = moments[(moments.label >= 0).nonzero()[:, 0].tolist()]
optimizer = make_optimizer(model)
losses = []
for rate in map(float, sys.argv[4:]):
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = F.cross_entropy(model(regions, lengths)["logits"], label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
json.dump(losses, sys.stdout)
