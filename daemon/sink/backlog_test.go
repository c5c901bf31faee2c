package sink

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
)

// drain takes everything out and returns the sequence numbers.
func drain(b *backlog) (all []uint64) {
	var h held
	for b.take(&h) {
		all = append(all, h.result.Seq)
	}
	return all
}

func TestBacklogKeepsOrder(t *testing.T) {
	b := newBacklog(4)
	for seq := uint64(1); seq <= 3; seq++ {
		b.put(answer(seq), false)
	}
	require.False(t, b.full())
	require.Equal(t, []uint64{1, 2, 3}, drain(b))
	require.Empty(t, drain(b))
}

// What makes a Result a change: label, reason, and what each modality is good for.
func TestBacklogChanges(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*result.Result)
		change bool
	}{
		"nothing":       {func(*result.Result) {}, false},
		"probabilities": {func(r *result.Result) { r.Probabilities[0] = 0.1 }, false},
		"share":         {func(r *result.Result) { r.Modalities[0].Share = 0.1 }, false},
		"age":           {func(r *result.Result) { r.Modalities[0].Age = 5 }, false},
		"label":         {func(r *result.Result) { r.Label = "empty" }, true},
		"no answer":     {func(r *result.Result) { r.Label, r.Reason = "", "no modality has data" }, true},
		"mask":          {func(r *result.Result) { r.Modalities[0].Present = false }, true},
		"health":        {func(r *result.Result) { r.Modalities[0].Reason = "sensor desk: timeout" }, true},
		"modalities":    {func(r *result.Result) { r.Modalities = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBacklog(4)
			b.put(answer(1), false)
			r := answer(2)
			c.edit(r)
			b.put(r, false)
			require.True(t, b.at(0).change, "the first")
			require.Equal(t, c.change, b.at(1).change)
		})
	}
}

// Repeats are thinned evenly, changes stay, and so does the newest.
func TestBacklogThinsRepeats(t *testing.T) {
	b := newBacklog(16)
	label := "empty"
	for seq := uint64(1); seq <= 1000; seq++ {
		if seq == 301 || seq == 302 || seq == 777 {
			label = strconv.Itoa(int(seq))
		}
		b.put(labelled(seq, label), true)
		require.Equal(t, seq, b.at(b.n-1).result.Seq, "the newest")
		require.LessOrEqual(t, b.n, 16)
	}
	require.Zero(t, b.dropped)
	require.EqualValues(t, 1000-b.n, b.thinned)
	require.EqualValues(t, 128, b.stride)
	require.Equal(t, []uint64{1, 128, 256, 301, 302, 384, 512, 640, 768, 777, 896, 1000}, drain(b))
	require.EqualValues(t, 1, b.stride, "a new outage starts anew")
}

func TestBacklogDropsTheOldestChangeAtLast(t *testing.T) {
	b := newBacklog(4)
	b.put(labelled(1, "a"), true)
	b.put(labelled(2, "a"), true) // a repeat
	for seq := uint64(3); seq <= 5; seq++ {
		b.put(labelled(seq, strconv.Itoa(int(seq))), true)
	}
	require.EqualValues(t, 1, b.thinned)
	require.Zero(t, b.dropped)
	b.put(labelled(6, "6"), true)
	require.EqualValues(t, 1, b.dropped)
	require.Equal(t, []uint64{3, 4, 5, 6}, drain(b))
}

// Every Result that was put in is taken out, thinned or dropped, in order.
func TestBacklogAccounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		size := 1 + random.IntN(20)
		b := newBacklog(size)
		var taken []uint64
		var h held
		last := uint64(1 + random.IntN(500))
		for seq := uint64(1); seq <= last; seq++ {
			b.put(labelled(seq, strconv.Itoa(random.IntN(1+random.IntN(3)))), random.IntN(2) == 0)
			if random.IntN(4) == 0 && b.take(&h) {
				taken = append(taken, h.result.Seq)
			}
		}
		taken = append(taken, drain(b)...)
		require.True(t, slices.IsSorted(taken))
		require.Equal(t, last, taken[len(taken)-1])
		require.EqualValues(t, last, int64(len(taken))+b.thinned+b.dropped)
	}
}

// A repeat whose sequence number every stride keeps cannot hold a place for ever.
func TestBacklogOfRoundNumbers(t *testing.T) {
	b := newBacklog(2)
	b.put(labelled(1, "a"), true)
	b.put(labelled(1<<45, "a"), true)
	b.put(labelled(1<<46, "a"), true)
	b.put(labelled(1<<47, "a"), true)
	require.Equal(t, []uint64{1 << 46, 1 << 47}, drain(b))
	require.EqualValues(t, 2, b.dropped)
}

func TestBacklogAllocatesNothing(t *testing.T) {
	b := newBacklog(8)
	r := answer(0)
	var h held
	for range 64 { // every buffer has been used
		r.Seq++
		b.put(r, true)
	}
	for b.take(&h) {
	}
	require.Zero(t, testing.AllocsPerRun(200, func() {
		r.Seq++
		b.put(r, true)
		if r.Seq%16 == 0 {
			b.take(&h)
		}
	}))
}
