package fusion

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLayout compares what is given out with what the engine computes by.
func TestLayout(t *testing.T) {
	for i, c := range everyConfig() {
		if testing.Short() && i%5 > 0 {
			continue
		}
		c, err := ParseConfig(toJSON(c))
		require.NoError(t, err)
		l := c.Layout()
		require.Len(t, l.Blocks, len(c.blocks()))
		for i, kind := range c.blocks() {
			require.Equal(t, Block{kind, c.hadamard(kind)}, l.Blocks[i])
		}
		require.Equal(t, "a", c.Modalities[l.Anchor].Name)
		required := 0
		for _, tensor := range l.Tensors {
			if tensor.Required && !strings.HasPrefix(tensor.Name, "input.") {
				required++
			}
		}
		file := modelFile(c, randomTensors(rand.New(rand.NewPCG(1, 1)), c))
		require.Len(t, file.Tensors, required, "the required tensors are a model")
		read, w, err := ReadWeights(file)
		require.NoError(t, err)
		require.Equal(t, c, read)
		require.Len(t, w, required)

		out := fuse(t, parseModel(t, file).NewState(), randomRows(1, c, 4, 5, 3))
		require.Equal(t, l.MostSlots, out.Slots)
		require.Equal(t, l.MostSlots, c.SlotCount([]int{4, 5, 3}))
		require.Len(t, out.Z, l.FusedRows*c.Width)
		require.Len(t, out.Attention, out.Slots*3*l.GateSize)
		require.Len(t, out.Region, out.Slots*l.Gates)
		require.Equal(t, c.Score == "hadamard" && c.Align == "anchor", l.HadamardAlign)
	}
}
