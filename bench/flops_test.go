package bench

import (
	"slices"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// TestFlopsOfWorkloads has the figures from multiplying the shapes by hand, in
// multiply-adds; the gate of a single modality is N·d twice.
func TestFlopsOfWorkloads(t *testing.T) {
	want := map[string]int64{
		// 8·32·(4+4+4+2+2) + 8·160·5 + 8·5·32 + 32·4
		"W1 sensors": 4096 + 6400 + 1280 + 128,
		// 64·(32·12 + 48·40) + 2·32·48·64 + 32·128·8 + 4·32·2·64 + 4·64·10
		"W2 sound + picture": 147456 + 196608 + 32768 + 16384 + 2560,
		// 768·256·325 + 2·128·197·256 + 128·512·2 + 128·2·256 + 256·16
		"W3 text + image": 63897600 + 12910592 + 131072 + 65536 + 4096,
		// 768·768·325 + 2·128·197·768 + 128·1536·2 + 128·2·768 + 768·16
		"W4 text + image, wide": 191692800 + 38731776 + 393216 + 196608 + 12288,
		// 51·(4·32² + 2·32·64) + 2·51²·32 + 2·51·32
		"W5 block": 51*8192 + 166464 + 3264,
		// 325·(4·256² + 2·256·512) + 2·325²·256 + 2·325·256
		"W6 block, wide": 325*524288 + 54080000 + 166400,
		// 6·(128·(4·384² + 2·384·1536) + 2·128²·384) + 2·128·384
		"W7 6 blocks": 6*(128*1769472+12582912) + 98304,
		// 12·(197·(4·192² + 2·192·768) + 2·197²·192) + 2·197·192
		"W8 12 blocks": 12*(197*442368+14902656) + 75648,
	}
	require.Len(t, workloads(), len(want))
	for _, w := range workloads() {
		require.Equal(t, 2*want[w.name], w.subject().flops, w.name)
	}
}

func TestFlops(t *testing.T) {
	// Two modalities of 2 and 3 rows, 5 and 7 features wide, d = 4.
	base := fusion.Config{
		Modalities: []fusion.Modality{{Name: "a", Regions: 2, Features: 5}, {Name: "b", Regions: 3, Features: 7}},
		Width:      4, Projection: "none", Strategy: "gate", Heads: 2, FFN: 6, Score: "dot", Align: "identity",
		Gate: "shared", Gates: 1, Pool: "sum", Head: fusion.Head{Task: fusion.Embed},
	}
	// Gate and sum of 3 slots: 3·8·2 + 3·2·4.
	const gate = 72
	// The matrices of a block: 5·(4·16 + 2·24).
	const matrices = 560

	for _, c := range []struct {
		name    string
		change  func(*fusion.Config)
		rows    []int
		tensors []string
		want    int64 // multiply-adds
	}{
		{"gate", func(c *fusion.Config) {}, []int{2, 3}, nil, gate},
		{"one absent", func(c *fusion.Config) {}, []int{2, 0}, nil, 48}, // 2 slots
		{"projection", func(c *fusion.Config) { c.Projection = "linear" }, []int{2, 3}, nil, 4*(2*5+3*7) + gate},
		{"self", func(c *fusion.Config) { c.Strategy, c.Layers = "self", 2 }, []int{2, 3}, nil, 2*(matrices+25*8) + gate},
		{"co", func(c *fusion.Config) { c.Strategy, c.Layers = "co", 1 }, []int{2, 3}, nil, matrices + 12*8 + gate},
		{"hybrid", func(c *fusion.Config) { c.Strategy, c.Layers = "hybrid", 1 }, []int{2, 3}, nil, 2*matrices + 13*8 + 12*8 + gate},
		{"one way", func(c *fusion.Config) { c.Strategy, c.Layers, c.OneWay, c.Anchor = "hybrid", 1, true, "a" }, []int{2, 3}, nil,
			2*matrices + 13*8 + 6*8 + gate},
		{"hadamard has a score for each head across modalities", func(c *fusion.Config) { c.Strategy, c.Layers, c.Score = "hybrid", 1, "hadamard" },
			[]int{2, 3}, nil, 2*matrices + 13*8 + 12*12 + gate},
		// 2 slots: 2·8·2 + 2·2·4.
		{"anchor", func(c *fusion.Config) { c.Align, c.Anchor = "anchor", "a" }, []int{2, 3}, nil, 2*2*3*4 + 48},
		{"anchor with weights", func(c *fusion.Config) { c.Align, c.Anchor = "anchor", "a" }, []int{2, 3},
			[]string{"align.query.weight", "align.key.weight"}, 2*16 + 3*16 + 48 + 48},
		{"slots", func(c *fusion.Config) { c.Align, c.Slots = "slots", 3 }, []int{2, 3}, nil, 2*3*5*4 + gate},
		{"slots with a key", func(c *fusion.Config) { c.Align, c.Slots = "slots", 3 }, []int{2, 3}, []string{"align.key.weight"}, 5*16 + 120 + gate},
		{"resample", func(c *fusion.Config) { c.Align, c.Slots = "resample", 3 }, []int{2, 3}, nil, gate},
		{"gates", func(c *fusion.Config) { c.Gates = 3 }, []int{2, 3}, nil, 3 * gate},
		{"feature gate", func(c *fusion.Config) { c.Gate = "feature" }, []int{2, 3}, nil, 3*8*8 + 24},
		{"attention pooling", func(c *fusion.Config) { c.Pool = "attention" }, []int{2, 3}, nil, gate + 2*3*4},
		{"head", func(c *fusion.Config) { c.Gates, c.Head = 2, fusion.Head{Task: fusion.Regress, Outputs: 3} }, []int{2, 3}, nil, 2*gate + 8*3},
		{"hidden layer", func(c *fusion.Config) { c.Head = fusion.Head{Task: fusion.Classify, Hidden: 5, Outputs: 3} }, []int{2, 3}, nil, gate + 4*5 + 5*3},
		{"head without pooling", func(c *fusion.Config) {
			c.Align, c.Slots, c.Pool, c.Head = "resample", 3, "none", fusion.Head{Task: fusion.Classify, Outputs: 3}
		}, []int{2, 3}, nil, gate + 12*3},
	} {
		config := base
		c.change(&config)
		has := func(tensor string) bool { return slices.Contains(c.tensors, tensor) }
		require.Equal(t, 2*c.want, Flops(&config, c.rows, has), c.name)
	}
}
