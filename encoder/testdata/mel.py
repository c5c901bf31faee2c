"""Makes mel.json, what NumPy finds in a frame of sound: python3 mel.py > mel.json

The frame is a sum of sines and a noise of a linear congruential generator, so that
the test makes the same samples.
"""
import json
import numpy as np

rate, frame, size, mels = 16000, 1600, 1024, 40
state, noise = 1, []
for _ in range(frame):
    state = (1664525 * state + 1013904223) % 2**32
    noise.append(state / 2**32 - 0.5)
t = np.arange(frame) / rate
x = 0.5 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 3000 * t) + 0.02 * np.array(noise)

window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
count = 1 + -(-(frame - size) // (size // 2))
begins = [k * (frame - size) // max(count - 1, 1) for k in range(count)]
power = np.mean([np.abs(np.fft.rfft(x[b : b + size] * window)) ** 2 for b in begins], axis=0)
power /= size * np.sum(window**2)
power[1:-1] *= 2

to_mel = lambda f: 2595 * np.log10(1 + f / 700)
to_hertz = lambda m: 700 * (10 ** (m / 2595) - 1)
edges = to_hertz(np.linspace(0, to_mel(rate / 2), mels + 2))
f = np.arange(size // 2 + 1) * rate / size
bank = np.array([np.clip(np.minimum((f - a) / (b - a), (c - f) / (c - b)), 0, None) for a, b, c in zip(edges, edges[1:], edges[2:])])

rng = np.random.default_rng(1)
z = np.round(rng.standard_normal(16) + 1j * rng.standard_normal(16), 6)
Z = np.fft.fft(z)
json.dump({
    "rate": rate, "frame": frame,
    "power": power[:64].tolist(),
    "mels": (10 * np.log10(bank @ power)).tolist(),
    "band": 10 * np.log10(power[(f >= 2500) & (f < 3500)].sum()),
    "level": 10 * np.log10(np.mean(x**2)),
    "fft": {"re": z.real.tolist(), "im": z.imag.tolist(), "out_re": Z.real.tolist(), "out_im": Z.imag.tolist()},
}, __import__("sys").stdout)
