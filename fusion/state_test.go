package fusion

import (
	"sync"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// examples returns the inputs of a golden case.
func examples(t testing.TB, m *Model, file *safetensors.File) [][]Regions {
	b, err := readBatch(&m.Config, file)
	require.NoError(t, err)
	var all [][]Regions
	for i := range b.size {
		all = append(all, b.example(make([]Regions, len(b.inputs)), i))
	}
	return all
}

func TestFuseAllocatesNothing(t *testing.T) {
	everySet(t, func(t *testing.T) {
		for _, name := range goldenCases(t) {
			m := loadGolden(t, name)
			s := m.NewState()
			for _, in := range examples(t, m, readGolden(t, name, "input")) {
				require.Zero(t, testing.AllocsPerRun(20, func() { fuse(t, s, in) }), name)
			}
		}
	})
}

// TestStatesShareAModel runs many States of one Model at the same time.
func TestStatesShareAModel(t *testing.T) {
	m := loadGolden(t, "slots_key")
	input := readGolden(t, "slots_key", "input")
	want, err := m.NewState().FuseFile(input)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			s := m.NewState()
			for range 10 {
				got, err := s.FuseFile(input)
				if err != nil || toJSON(got) != toJSON(want) {
					t.Errorf("another result or %v", err)
				}
			}
		})
	}
	wait.Wait()
}

// roomConfig is a small model as sensors of a room need it.
func roomConfig(pool string) Config {
	var modalities []Modality
	for i, name := range []string{"climate", "light", "sound", "co2", "motion"} {
		modalities = append(modalities, Modality{name, 8, []int{4, 4, 4, 2, 2}[i]})
	}
	c := baseConfig(modalities...)
	c.Width, c.Pool, c.Head = 32, pool, Head{Task: "classify", Hidden: 32, Outputs: 4}
	return c
}

func BenchmarkFuse(b *testing.B) {
	for _, pool := range []string{"sum", "attention"} {
		b.Run(pool, func(b *testing.B) {
			m := randomModel(b, 1, roomConfig(pool), "input")
			s := m.NewState()
			in := randomRows(1, m.Config, 8, 8, 8, 8, 8)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Fuse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
