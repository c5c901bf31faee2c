package ragedge

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

// assembly is one set's assembly without dispatch: equal lengths that one call
// can take.
type assembly struct {
	kerneltest.Impl
	exp func(dst, x []float32)
}

var (
	public  = kerneltest.Impl{Dot: Dot, Softmax: Softmax, GatedSum: GatedSum}
	generic = kerneltest.Impl{Dot: kernel.Dot, Softmax: kernel.Softmax, GatedSum: kernel.GatedSum}
)

// force puts a set to use until the end of the test.
func force(t testing.TB, set string) {
	was := KernelSet()
	require.NoError(t, Use(set))
	require.Equal(t, set, KernelSet())
	t.Cleanup(func() { require.NoError(t, Use(was)) })
}

func TestKernels(t *testing.T) {
	for _, set := range testedSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.Run(t, public)
		})
	}
}

func TestExp(t *testing.T) {
	for set, a := range assemblies {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.RunExp(t, a.exp)
		})
	}
}

// outcome is the bits that an implementation computes from fixed input long
// enough for rounding to tell implementations apart.
func outcome(k kerneltest.Impl) map[string][]float32 {
	const n, rows = 203, 9
	var a, b, softmax, sum [n]float32
	var regions [rows * n]float32
	for i := range regions {
		regions[i] = float32(math.Sin(float64(i)))
	}
	copy(a[:], regions[:])
	copy(b[:], regions[n:])
	k.Softmax(softmax[:], a[:])
	k.GatedSum(sum[:], b[:rows], regions[:])
	return map[string][]float32{"dot": {k.Dot(a[:], b[:])}, "softmax": softmax[:], "gated sum": sum[:]}
}

// TestForcedSetRuns shows that the set asked for is the one that computes: the
// public functions give the bits of its assembly, which are not those of plain Go.
func TestForcedSetRuns(t *testing.T) {
	require.Len(t, assemblies, len(KernelSets())-1, "every set but generic has an assembly to compare with")
	plain := outcome(generic)
	for set, a := range assemblies {
		force(t, set)
		want, got := outcome(a.Impl), outcome(public)
		for name := range plain {
			require.Equal(t, want[name], got[name], "%s: %s is not the assembly", set, name)
			require.NotEqual(t, plain[name], got[name], "%s: %s cannot be told from plain Go", set, name)
		}
	}
	force(t, "generic")
	require.Equal(t, plain, outcome(public))
}

func TestUse(t *testing.T) {
	was := KernelSet()
	err := Use("mmx")
	require.ErrorContains(t, err, `kernel set "mmx"`)
	for _, set := range KernelSets() {
		require.ErrorContains(t, err, set)
	}
	require.Equal(t, was, KernelSet())
	require.Equal(t, "generic", KernelSets()[len(KernelSets())-1])
}

func TestSelectSet(t *testing.T) {
	force(t, KernelSet())
	require.ErrorContains(t, selectSet("mmx", ""), "RAGEDGE_CPU")
	require.NoError(t, selectSet("generic", "generic"))
	require.ErrorContains(t, selectSet("", "avx2"), "kernel set generic is in use")
}

func TestKernelsDoNotAllocate(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			var a, b [100]float32
			var regions [300]float32
			a[0] = Dot(a[:], b[:])
			Softmax(b[:], a[:])
			GatedSum(a[:], b[:3], regions[:])
		}), set)
	}
}

func TestSelfCheck(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, SelfCheck())
	}
	short := func(a, b []float32) float32 { return Dot(a[:len(a)&^1], b) }
	require.ErrorContains(t, check(short, Softmax, GatedSum), "dot of 1 values is 0, want ")
	masked := func(dst, x []float32) {
		kernel.Softmax(dst, x)
		for i, v := range x {
			if i == 33 && v < -math.MaxFloat32 {
				dst[i] = 0.1
			}
		}
	}
	require.ErrorContains(t, check(Dot, masked, GatedSum), "softmax of 34 values: [33] is 0.1, want 0")
	last := func(dst, gates, regions []float32) { GatedSum(dst, gates[:min(len(gates), 6)], regions) }
	require.ErrorContains(t, check(Dot, Softmax, last), "gated sum of 7 rows of 6: [0] is ")
}
