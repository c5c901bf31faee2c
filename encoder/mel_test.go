package encoder

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMelLikeNumpy(t *testing.T) {
	n := readNumpy(t)
	s, err := NewSpectrum(n.Frame, n.Rate)
	require.NoError(t, err)
	m, err := NewMel(len(n.Mels), s)
	require.NoError(t, err)
	x, got := n.sound(), make([]float64, len(n.Mels))
	compute := func() {
		s.Frame(x)
		m.Apply(s.Power, got)
		for i := range got {
			got[i] = Decibels(got[i])
		}
	}
	compute()
	require.InDeltaSlice(t, n.Mels, got, 1e-9)
	require.Zero(t, testing.AllocsPerRun(10, compute), "a frame allocates nothing")
}

func TestMelRefuses(t *testing.T) {
	s, err := NewSpectrum(160, 16000)
	require.NoError(t, err)
	_, err = NewMel(0, s)
	require.ErrorContains(t, err, "0 filters: want 1 to 128")
	_, err = NewMel(128, s)
	require.ErrorContains(t, err, "use fewer filters or longer frames")
}
