package train

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/fit.safetensors anew")

// elsewhere is how far apart the weights of one fit may be that two kernel sets make, as
// a part of the largest weight: they round sums differently, at every step. It is a
// model of the gate alone, since a block's keys have a bias whose gradient is rounding
// and nothing else, and AdamW makes steps of all gradients alike.
const elsewhere = 1e-5

// TestFitIsTheSameElsewhere: every kernel set of every CPU trains the model that one of
// amd64 trained. Run with -args -update to write it.
func TestFitIsTheSameElsewhere(t *testing.T) {
	const golden = "testdata/fit.safetensors"
	d, o := either(t, 600), eitherOptions()
	o.Epochs, o.ModalityDropout, o.LabelSmoothing = 4, 0.3, 0.1
	if *update {
		r, err := Fit(t.Context(), gateConfig(), d, o)
		require.NoError(t, err)
		file, err := r.Parameters.Bytes()
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, file, 0o644))
	}
	file, err := os.ReadFile(golden)
	require.NoError(t, err)
	want, err := Read(file)
	require.NoError(t, err)
	everySet(t, func(t *testing.T) {
		r, err := Fit(t.Context(), gateConfig(), d, o)
		require.NoError(t, err)
		require.Len(t, r.Parameters.tensors, len(want.tensors))
		most, off := 0.0, 0.0
		for _, tensor := range want.tensors {
			values := want.Tensor(tensor.name)
			most = max(most, largest(values))
			off = max(off, deviation(r.Parameters.Tensor(tensor.name), values))
		}
		t.Logf("the weights are within %.2g of the largest", off/most)
		require.LessOrEqual(t, off, elsewhere*most)
	})
}
