"""Ask questions about a picture: BERT reads the question, ViT the picture, ragedge fuses.

    python3 question.py --random --picture room.png "is somebody there?" "is the lamp on?"

The states of BERT's tokens and of ViT's patches are the regions of two modalities, pushed to the daemon's Unix
socket as one safetensors body: it takes both or neither, and decides at once. The picture goes along with the first
question only; it stays in force for --ttl seconds, and the engine computes nothing of it again. One JSON Result
is printed per question.
"""

import argparse
import http.client
import json
import socket
import sys
import zlib

import numpy as np
import torch
import transformers
from safetensors.numpy import save

# The sizes of --random: small, so that it runs anywhere. model.py knows them too.
SMALL = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128)
MOST_TOKENS = 32
SIDE, PATCH = 32, 8  # pixels of --random


class Text:
    """Turns a question into [tokens, width] float32."""

    def __init__(self, name):
        self.tokenizer = None
        if name:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(name)
            self.bert = transformers.AutoModel.from_pretrained(name).eval()
        else:
            torch.manual_seed(1)
            self.bert = transformers.BertModel(transformers.BertConfig(vocab_size=1000, **SMALL)).eval()

    def ids(self, question):
        if self.tokenizer:
            return self.tokenizer(question, truncation=True, max_length=MOST_TOKENS)["input_ids"]
        return [zlib.crc32(word.encode()) % 1000 for word in question.split()][:MOST_TOKENS]

    def regions(self, question):
        with torch.inference_mode():
            states = self.bert(torch.tensor([self.ids(question)])).last_hidden_state
        return states[0].numpy()


class Picture:
    """Turns a picture into [patches, width] float32."""

    def __init__(self, name):
        self.processor = None
        if name:
            self.processor = transformers.AutoImageProcessor.from_pretrained(name)
            self.vit = transformers.AutoModel.from_pretrained(name).eval()
        else:
            torch.manual_seed(2)
            self.vit = transformers.ViTModel(transformers.ViTConfig(image_size=SIDE, patch_size=PATCH, **SMALL)).eval()

    def pixels(self, path):
        from PIL import Image

        with Image.open(path) as image:
            image = image.convert("RGB")
            if self.processor:
                return self.processor(image, return_tensors="pt")["pixel_values"]
            square = np.asarray(image.resize((SIDE, SIDE)), dtype=np.float32) / 127.5 - 1
        return torch.from_numpy(square.transpose(2, 0, 1)[None].copy())

    def regions(self, path):
        with torch.inference_mode():
            states = self.vit(pixel_values=self.pixels(path)).last_hidden_state
        return states[0, 1:].numpy()  # without the class token


class Socket(http.client.HTTPConnection):
    """HTTP over the daemon's Unix socket."""

    def __init__(self, path):
        super().__init__("ragedge", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def decide(connection, regions, ttl, name):
    """Pushes the regions of all these modalities at once and returns the Result."""
    body = save({modality: np.ascontiguousarray(rows, dtype=np.float32) for modality, rows in regions.items()})
    connection.request("POST", f"/v1/regions?decide=1&ttl={ttl}&id={name}", body, {"Content-Type": "application/safetensors"})
    reply = connection.getresponse()
    answer = json.loads(reply.read())
    if reply.status != 200:
        sys.exit(f"the daemon refuses it: {answer['error']}")
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("questions", nargs="+", metavar="QUESTION")
    parser.add_argument("--picture", required=True, help="a picture in any form that Pillow reads")
    parser.add_argument("--socket", default="/run/ragedge/api.sock")
    parser.add_argument("--ttl", type=int, default=600, help="how many seconds the picture stays in force")
    parser.add_argument("--bert", default="bert-base-uncased", help="name or folder of the text model")
    parser.add_argument("--vit", default="google/vit-base-patch16-224-in21k", help="name or folder of the picture model")
    parser.add_argument("--random", action="store_true", help="small models with random weights: nothing is downloaded")
    arguments = parser.parse_args()

    text = Text(None if arguments.random else arguments.bert)
    picture = Picture(None if arguments.random else arguments.vit)
    connection = Socket(arguments.socket)
    regions = {"image": picture.regions(arguments.picture)}
    for i, question in enumerate(arguments.questions):
        regions["text"] = text.regions(question)
        print(json.dumps(decide(connection, regions, arguments.ttl, f"q{i + 1}")))
        regions = {}


if __name__ == "__main__":
    main()
