package train

import (
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// TestCrewAddsUp compares the gradient and the tally of a batch with those of one pass
// over all of it, with one wave of shards and with several, the last one short.
func TestCrewAddsUp(t *testing.T) {
	d, o := either(t, 600), eitherOptions()
	o.Batch, o.ClassWeights, o.LabelSmoothing = 37, []float64{1, 3}, 0.1
	for _, threads := range []int{1, 2, 5} {
		o.Threads = threads
		f, err := prepare(t.Context(), eitherConfig(), d, o)
		require.NoError(t, err)
		batch := f.train[:o.Batch]
		f.drop(batch)
		j := job{examples: batch, dropped: f.dropped, learn: true, factor: 0.5}
		if threads == 2 {
			f.crew.shards = f.crew.shards[:2] // 2, 2 and 1 of the five
		}
		f.crew.tally.reset()
		require.NoError(t, f.crew.run(j))

		p, want := newPass(f.net, o.Batch), newTally(2)
		require.NoError(t, p.load(f.source, batch, f.dropped))
		p.forward()
		f.crew.count(p, &want, batch)
		p.backward()
		require.LessOrEqual(t, deviation(f.crew.gradient, p.grad), 1e-5*largest(p.grad))
		require.InDelta(t, want.loss, f.crew.tally.loss, 1e-9*want.loss)
		require.Equal(t, want.right, f.crew.tally.right)
		require.Equal(t, want.total, f.crew.tally.total)
		require.Equal(t, 37, f.crew.tally.examples)

		before := append([]float32(nil), f.crew.gradient...)
		require.NoError(t, f.crew.run(j))
		require.Equal(t, before, f.crew.gradient, "it begins anew")
		f.crew.close()
	}
}

// TestCrewFails reports the first example that cannot be read, whatever the threads.
func TestCrewFails(t *testing.T) {
	path, config := roomFile(t)
	data, err := open(path, true)
	require.NoError(t, err)
	o := DefaultOptions()
	o.Train, o.Threads = numbers(0, 200), 3
	f, err := prepare(t.Context(), config, data, o)
	require.NoError(t, err)
	defer f.crew.close()
	require.NoError(t, data.Close())
	r, err := f.run(t.Context())
	require.ErrorContains(t, err, "climate of example")
	require.Nil(t, r)
}

// TestPassSize compares what is measured with what is made, and refuses more than a
// machine can have.
func TestPassSize(t *testing.T) {
	for i, c := range everyConfig() {
		net := newNetwork(randomParameters(t, c, 1, i%2 == 0))
		require.Equal(t, newPass(net, 3).taken, passSize(net, 3), configName(c))
	}
	c := eitherConfig()
	for m := range c.Modalities {
		c.Modalities[m].Regions = 60_000
	}
	p, err := New(c, 1)
	require.NoError(t, err)
	goal := objective{classes: 2, outputs: 2}
	_, err = newCrew(newNetwork(p), nil, &goal, 2, 32)
	require.ErrorIs(t, err, fusion.ErrTooLarge)
	require.ErrorContains(t, err, "247192 MiB for one example")
}
