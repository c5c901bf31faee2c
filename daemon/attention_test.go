package daemon

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// TestAttentionIsOfTheAnswer: not of the masked runs that come after it, and gone
// where there is no answer.
func TestAttentionIsOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLiveWith(t, lightSensor(), airSensor())
		stop := run(t, l.Daemon)
		_, err := l.Attention()
		require.ErrorIs(t, err, api.ErrNotReady, "nothing was decided yet")
		time.Sleep(tinyTick)
		l.push(t, 1)
		time.Sleep(2 * tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.NotEmpty(t, r.Label)
		a, err := l.Attention()
		require.NoError(t, err)
		require.Equal(t, r.Seq, a.Seq)
		require.Equal(t, []string{"light", "air"}, a.Modalities)
		require.True(t, part(r, "light").Measured, "the model was asked again")
		sums := []float32{0, 0}
		weight := float32(0)
		for i, row := range a.Attention {
			require.InDelta(t, 1, row[0]+row[1], 1e-6)
			sums[0] += a.Region[i] * row[0]
			sums[1] += a.Region[i] * row[1]
			weight += a.Region[i]
		}
		require.InDelta(t, part(r, "light").Share, sums[0]/weight, 1e-6)
		require.InDelta(t, part(r, "air").Share, sums[1]/weight, 1e-6)
		require.NoError(t, stop())
	})
}

// TestGlanceAveragesGates pins the order of several gates.
func TestGlanceAveragesGates(t *testing.T) {
	g := glance{}
	g.keep(3, &fusion.Output{Slots: 2, // two modalities, two gates
		Attention: []float32{0.2, 0.4, 0.8, 0.6, 1, 0.5, 0, 0.5}, Region: []float32{0.1, 0.3, 0.9, 0.7}})
	a := g.describe(&result.Result{Modalities: []result.Modality{{Name: "x"}, {Name: "y"}}})
	require.Equal(t, uint64(3), a.Seq)
	require.InDeltaSlice(t, []float32{0.3, 0.7}, a.Attention[0], 1e-6)
	require.InDeltaSlice(t, []float32{0.75, 0.25}, a.Attention[1], 1e-6)
	require.InDeltaSlice(t, []float32{0.2, 0.8}, a.Region, 1e-6)
}
