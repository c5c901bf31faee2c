package train

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGoldenGradients holds the gradients of every golden case against those of the
// float64 reference, within the tolerances of its page.
func TestGoldenGradients(t *testing.T) {
	everySet(t, func(t *testing.T) {
		worst := 0.0
		for _, name := range goldenCases(t) {
			t.Run(name, func(t *testing.T) { worst = max(worst, goldenGradient(t, name)) })
		}
		t.Logf("the worst deviation is %.2g of its tolerance", worst)
	})
}

// goldenGradient returns the largest deviation as a part of its tolerance.
func goldenGradient(t *testing.T, name string) float64 {
	data, err := goldenFile(t, name, "model").Bytes()
	require.NoError(t, err)
	parameters, err := Read(data)
	require.NoError(t, err)
	tolerance := 2e-5
	switch {
	case name == "saturated":
		tolerance = 5e-4
	case parameters.Config.Layers > 0:
		tolerance = 1e-4
	}
	examples := examplesOf(t, parameters.Config, goldenFile(t, name, "input"))
	p := newPass(newNetwork(parameters), len(examples))
	enter(p, examples)
	p.forward()
	want := goldenFile(t, name, "grad")
	cotangent, err := want.Tensor("cotangent").Float32s()
	require.NoError(t, err)
	give(p, cotangent)
	p.backward()

	most := 0.0
	for _, w := range want.Tensors {
		if values, err := w.Float32s(); w.Name != "cotangent" {
			require.NoError(t, err)
			most = max(most, largest(values))
		}
	}
	require.Len(t, want.Tensors, len(parameters.tensors)+1)
	worst := 0.0
	for _, w := range want.Tensors {
		name, is := strings.CutPrefix(w.Name, "grad.")
		if !is {
			continue
		}
		values, err := w.Float32s()
		require.NoError(t, err)
		got := p.gradient(name)
		require.Len(t, got, len(values), name)
		off := deviation(got, values) / max(largest(values), 0.01*most)
		worst = max(worst, off/tolerance)
		require.LessOrEqual(t, off, tolerance, name)
	}
	return worst
}

// give sets the gradient of the output; rows of Z that an example does not have are left
// out.
func give(p *pass, cotangent []float32) {
	if p.net.Config.Head.Task != "embed" {
		copy(p.head.dLogits, cotangent)
		return
	}
	d, n := p.net.Config.Width, len(cotangent)/p.batch.size
	to := p.pool.dz
	for e := range p.batch.size {
		rows := n
		if p.net.Config.Pool == "none" {
			rows = p.batch.slotsOf(e).rows() * d
		}
		to = to[copy(to, cotangent[e*n:e*n+rows]):]
	}
}
