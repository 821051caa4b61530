"""BERT (Devlin et al. 2019) in NumPy float64, by Hugging Face's names."""

import numpy as np
from scipy import special


def gelu(x):
    return x * (1 + special.erf(x / np.sqrt(2))) / 2


def gelu_tanh(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * special.expit(x),
    "swish": lambda x: x * special.expit(x),
}


class BertOracle:
    """Holds the weights of a BERT, without dropout."""

    def __init__(self, weights, activation="gelu", heads=2):
        self.weights = {k: np.float64(v) for k, v in weights.items()}
        self.activation = ACTIVATIONS[activation]
        self.heads = heads

    def hidden_states(self, ids, mask, segments):
        """Returns the last layer's output, shape (batch, length, hidden)."""
        tables = [
            self.weights[f"bert.embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        ]
        places = np.arange(ids.shape[1])
        x = tables[0][ids] + tables[1][places] + tables[2][segments]
        x = self._norm("bert.embeddings.LayerNorm", x)
        number = 0
        while f"bert.encoder.layer.{number}.output.dense.bias" in self.weights:
            x = self._layer(f"bert.encoder.layer.{number}", x, mask)
            number += 1
        return x

    def pooled(self, hidden_states):
        return np.tanh(self._dense("bert.pooler.dense", hidden_states[:, 0]))

    def masked_lm(self, hidden_states, positions):
        """Returns logits at positions, shape (batch, positions, pieces)."""
        rows = np.arange(len(positions))[:, None]
        x = hidden_states[rows, positions]
        x = self._dense("cls.predictions.transform.dense", x)
        x = self.activation(x)
        x = self._norm("cls.predictions.transform.LayerNorm", x)
        table = self.weights["bert.embeddings.word_embeddings.weight"]
        return x @ table.T + self.weights["cls.predictions.bias"]

    def next_sentence(self, hidden_states):
        return self._dense("cls.seq_relationship", self.pooled(hidden_states))

    def answer(self, hidden_states):
        """Returns the logits of the starts and of the ends."""
        logits = self._dense("qa_outputs", hidden_states)
        return logits[..., 0], logits[..., 1]

    def _layer(self, name, x, mask):
        here = f"{name}.attention.self"
        q, k, v = (
            self._split(self._dense(f"{here}.{part}", x))
            for part in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        attended = special.softmax(scores, axis=-1) @ v
        attended = attended.swapaxes(1, 2).reshape(x.shape)
        attended = self._dense(f"{name}.attention.output.dense", attended)
        x = self._norm(f"{name}.attention.output.LayerNorm", x + attended)
        inner = self.activation(self._dense(f"{name}.intermediate.dense", x))
        inner = self._dense(f"{name}.output.dense", inner)
        return self._norm(f"{name}.output.LayerNorm", x + inner)

    def _split(self, x):
        batch, length, hidden = x.shape
        parts = x.reshape(batch, length, self.heads, hidden // self.heads)
        return parts.swapaxes(1, 2)

    def _dense(self, name, x):
        kernel = self.weights[f"{name}.weight"]
        return x @ kernel.T + self.weights[f"{name}.bias"]

    def _norm(self, name, x):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred**2).mean(-1, keepdims=True)
        scaled = centred / np.sqrt(variance + 1e-12)
        gamma, beta = (self.weights[f"{name}.{k}"] for k in ("weight", "bias"))
        return gamma * scaled + beta
