//go:build !purego

package ragedge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAVX512Runs shows that the set avx512 has tiles of its own, although their bits
// are those of AVX2: only AVX-512 has tiles of eight rows. Row dots differ in bits.
func TestAVX512Runs(t *testing.T) {
	if !hasAVX512 {
		t.Skip("this CPU has no AVX-512")
	}
	const rows, out, in = 8, 20, 9
	weight, x := ramp(out*in), ramp(rows*in)
	w := Pack(weight, out, in)
	want, got := make([]float32, rows*out), make([]float32, rows*out)

	force(t, "avx2")
	MatMul(want, x, rows, &w, nil)
	dots := productOutcome(publicProducts)["row dots"]
	p := packed(got, x, rows, &w, nil, out, 0, out)
	require.Less(t, tallest(), rows)
	require.Panics(t, func() { p.strip(0, 1, rows, 0, in) })

	force(t, "avx512")
	require.Equal(t, rows, tallest())
	p.strip(0, 1, rows, 0, in)
	require.Equal(t, want, got)
	require.NotEqual(t, dots, productOutcome(publicProducts)["row dots"])
}
