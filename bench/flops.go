package bench

import (
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// Flops counts the floating-point operations of the matrix products in one
// inference, a multiply-add as two: the products of equations E1 to E7 as they are
// written, over the given valid rows per modality. Sums over gates and slots are
// among them; exponentials, norms, activations and biases are not. has says which
// of the optional tensors the model has.
//
// It counts what the mechanism asks for, not what an engine does: one that folds
// two matrices into one, or never builds a product it can do without, shows a
// larger share of the peak. With T = Σ n_m rows and R slots, in multiply-adds:
//
//	E1 project     Σ_m n_m·d_m·d
//	E2 a block     T·(4·d² + 2·d·ffn) for its matrices, 2·d for each pair of rows
//	               that may attend; the hadamard score has d for each head instead
//	               of d in all
//	E3 anchor      n_a·d² and n_m·d² for the query and key weights, if there are
//	               any, and 2·n_a·n_m·d for every other modality
//	   slots       n_m·d² for the key weight, and 2·R·n_m·d
//	E4 score       R·(M·d)·(M·G)
//	E6 fuse        S·R·M·d; attention pooling 2·S·R·d more
//	E7 head        len(Z)·hidden + hidden·C, or len(Z)·C
func Flops(c *fusion.Config, rows []int, has func(tensor string) bool) int64 {
	d, M, ffn := int64(c.Width), int64(len(c.Modalities)), int64(c.FFN)
	var sum, T int64 // sum is of multiply-adds
	for m, n := range rows {
		T += int64(n)
		if c.Projection == "linear" {
			sum += int64(n) * int64(c.Modalities[m].Features) * d
		}
	}
	for _, pairs := range attended(c, rows) {
		scores := int64(1)
		if c.Score == "hadamard" && pairs.cross {
			scores = int64(c.Heads)
		}
		sum += T*(4*d*d+2*d*ffn) + pairs.count*d*(scores+1)
	}

	R := slots(c, rows)
	for m, n := range rows {
		n := int64(n)
		switch {
		case c.Align == "anchor" && m == c.Index(c.Anchor):
			if has("align.query.weight") {
				sum += n * d * d
			}
		case c.Align == "anchor", c.Align == "slots":
			if has("align.key.weight") {
				sum += n * d * d
			}
			sum += 2 * R * n * d
		}
	}

	S, G := int64(c.Gates), int64(c.Gates)
	if c.Gate == "feature" {
		S, G = 1, d
	}
	sum += R * M * d * M * G
	sum += S * R * M * d
	if c.Pool == "attention" {
		sum += 2 * S * R * d
	}

	z, hidden, outputs := S*d, int64(c.Head.Hidden), int64(c.Head.Outputs)
	if c.Pool == "none" {
		z = R * d
	}
	switch {
	case c.Head.Task == fusion.Embed:
	case hidden > 0:
		sum += z*hidden + hidden*outputs
	default:
		sum += z * outputs
	}
	return 2 * sum
}

// pairs are the pairs of rows that attend in one block.
type pairs struct {
	count int64
	cross bool // between modalities
}

// attended lists the blocks of E2.
func attended(c *fusion.Config, rows []int) []pairs {
	var T, within int64
	for _, n := range rows {
		T += int64(n)
		within += int64(n) * int64(n)
	}
	cross := T*T - within
	if c.OneWay {
		anchor := int64(rows[c.Index(c.Anchor)])
		cross = anchor * (T - anchor)
	}
	var layer []pairs
	switch c.Strategy {
	case "self":
		layer = []pairs{{T * T, false}}
	case "co":
		layer = []pairs{{cross, true}}
	case "hybrid":
		layer = []pairs{{within, false}, {cross, true}}
	}
	return slices.Repeat(layer, c.Layers)
}

// slots is R of E3.
func slots(c *fusion.Config, rows []int) int64 {
	switch c.Align {
	case "identity":
		return int64(slices.Max(rows))
	case "anchor":
		return int64(rows[c.Index(c.Anchor)])
	}
	return int64(c.Slots)
}
