package fusion

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnchangedRowsKeepTheBits gives one State inputs of which some modalities are
// those of the time before, some are new and some absent. Each result must have the
// bits of a State that knows nothing, and that computes everything.
func TestUnchangedRowsKeepTheBits(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 0))
	for i, c := range everyConfig() {
		if testing.Short() && i%5 > 0 {
			continue
		}
		save(t, saveWherePaid, saveAlways)
		m := randomModel(t, uint64(i), c, everything...)
		kept := m.NewState()
		save(t, saveWherePaid, saveNever)
		in := randomRows(uint64(i), c, presence[0]...)
		remembered := 0
		for turn := range 16 {
			fresh := randomRows(uint64(1000*i+turn), c, presence[turn%len(presence)]...)
			for m := range in {
				if random.IntN(4) == 0 {
					in[m] = fresh[m]
				}
			}
			if c.Align == alignAnchor && in[c.Index(c.Anchor)].Rows == 0 || in[0].Rows+in[1].Rows+in[2].Rows == 0 {
				continue
			}
			for m := range in {
				if last := &kept.memories[m]; last.held && in[m].Rows == last.rows && slices.Equal(in[m].Data[:in[m].Rows*in[m].Features], last.input[:in[m].Rows*in[m].Features]) {
					remembered++
				}
			}
			got, want := outcome(fuse(t, kept, in)), outcome(fuse(t, m.NewState(), in))
			require.Equal(t, want, got, "%s, turn %d", configName(c), turn)
		}
		if c.Projection == projectLinear {
			require.Positive(t, remembered, configName(c))
		}
	}
}

// outcome is an output as text, with every bit.
func outcome(o *Output) string {
	return fmt.Sprintf("%d %x %x %x %x %x %x", o.Slots, o.Z, o.Logits, o.Probabilities, o.Attention, o.Region, o.Share)
}

// TestUnchangedRowsAreNotComputed changes what a State keeps: the same input then
// gives something else, and new rows set it right.
func TestUnchangedRowsAreNotComputed(t *testing.T) {
	save(t, saveWherePaid, saveAlways)
	for _, strategy := range []string{strategyGate, strategyHybrid} {
		c := baseConfig(Modality{"a", 4, 30}, Modality{"b", 5, 2})
		if c.Strategy = strategy; strategy == strategyHybrid {
			c.Layers = 1
		}
		s := randomModel(t, 5, c).NewState()
		in := randomRows(5, c, 4, 5)
		want := outcome(fuse(t, s, in))
		require.Equal(t, want, outcome(fuse(t, s, in)), "seen twice: kept from now on")
		s.settled(0).row(0, c.Width)[0] += 1
		require.NotEqual(t, want, outcome(fuse(t, s, in)), strategy)
		in[0].Data[4] += 1 // no glance falls on it
		fuse(t, s, in)
		in[0].Data[4] -= 1
		require.Equal(t, want, outcome(fuse(t, s, in)), strategy)
		require.Zero(t, testing.AllocsPerRun(10, func() { fuse(t, s, in) }))
	}
}

// TestKeepingPays shows which models keep rows: those whose rows cost more than a look
// at them.
func TestKeepingPays(t *testing.T) {
	room, image := roomConfig(poolSum), twoImages()
	require.False(t, room.keeps(0), "four features are projected sooner than compared")
	require.True(t, image.keeps(0) && image.keeps(1))
	require.True(t, image.absorbs())
	image.Pool = poolAttention
	require.False(t, image.absorbs(), "tanh wants the rows of Y")
}

// TestThreadsKeepTheBits runs every kind of step on several threads.
func TestThreadsKeepTheBits(t *testing.T) {
	was := worthwhile
	t.Cleanup(func() { worthwhile = was })
	worthwhile = 1
	for i, c := range everyConfig() {
		if testing.Short() && i%5 > 0 {
			continue
		}
		c.Width *= 9 // layers of several panels
		c.FFN *= 3
		for j := range c.Modalities {
			c.Modalities[j].Regions += 17
			if c.Projection == projectNone {
				c.Modalities[j].Features = c.Width
			}
		}
		m := randomModel(t, uint64(i), c, everything...)
		in := randomRows(uint64(i), c, 21, 22, 3)
		want := outcome(fuse(t, m.NewState(), in))
		s := m.NewState()
		for _, threads := range []int{2, 5, 1, 3} {
			s.UseThreads(threads)
			require.Equal(t, threads, s.Threads())
			require.Equal(t, want, outcome(fuse(t, s, in)), "%s on %d threads", configName(c), threads)
		}
		if i%40 == 0 {
			require.Zero(t, testing.AllocsPerRun(10, func() { fuse(t, s, in) }))
		}
	}
}

// TestThreadsEnd lets go of a State: its threads must end.
func TestThreadsEnd(t *testing.T) {
	m := randomModel(t, 1, baseConfig(Modality{"a", 4, 3}))
	before := runtime.NumGoroutine()
	func() {
		s := m.NewState()
		s.UseThreads(4)
		require.Equal(t, before+3, runtime.NumGoroutine())
		s.UseThreads(2)
		fuse(t, s, randomRows(1, m.Config, 4))
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		return runtime.NumGoroutine() <= before
	}, 10*time.Second, 10*time.Millisecond)
}

// twoImages is a model whose rows cost something: text and an image.
func twoImages() Config {
	c := baseConfig(Modality{"text", 128, 768}, Modality{"image", 197, 768})
	c.Width, c.Align, c.Norm = 256, alignAnchor, false
	return c
}

// BenchmarkSavings shows what each saving is worth, on text and an image.
func BenchmarkSavings(b *testing.B) {
	for _, v := range []struct {
		name         string
		absorb, keep saving
		changed      int // modalities, from the first
	}{
		{"nothing saved", saveNever, saveNever, 2},
		{"U absorbed", saveAlways, saveNever, 2},
		{"all new, looked at", saveAlways, saveAlways, 2},
		{"the same image", saveAlways, saveAlways, 1},
		{"all the same", saveAlways, saveAlways, 0},
	} {
		b.Run(v.name, func(b *testing.B) {
			save(b, v.absorb, v.keep)
			s := randomModel(b, 1, twoImages()).NewState()
			in := randomRows(1, s.model.Config, 128, 197)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				for m := range v.changed {
					in[m].Data[0] = float32(i % 7)
				}
				if _, err := s.Fuse(in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(s.Bytes()), "B/state")
		})
	}
}
