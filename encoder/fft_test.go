package encoder

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// numpy is testdata/mel.json, which mel.py beside it makes with NumPy.
type numpy struct {
	Rate, Frame int
	Power, Mels []float64
	Band, Level float64
	FFT         struct {
		Re, Im []float64
		OutRe  []float64 `json:"out_re"`
		OutIm  []float64 `json:"out_im"`
	}
}

func readNumpy(t *testing.T) (n numpy) {
	data, err := os.ReadFile("testdata/mel.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &n))
	return n
}

// sound is the frame of mel.py.
func (n *numpy) sound() []float64 {
	x := make([]float64, n.Frame)
	state := uint32(1)
	for i := range x {
		state = 1664525*state + 1013904223
		t := float64(i) / float64(n.Rate)
		x[i] = 0.5*math.Sin(2*math.Pi*440*t) + 0.1*math.Sin(2*math.Pi*3000*t) + 0.02*(float64(state)/(1<<32)-0.5)
	}
	return x
}

func TestFFTLikeNumpy(t *testing.T) {
	n := readNumpy(t).FFT
	f, err := NewFFT(len(n.Re))
	require.NoError(t, err)
	f.Transform(n.Re, n.Im)
	require.InDeltaSlice(t, n.OutRe, n.Re, 1e-12)
	require.InDeltaSlice(t, n.OutIm, n.Im, 1e-12)
}

// Every length agrees with the sum that defines the transform.
func TestFFTLikeItsDefinition(t *testing.T) {
	for n := 2; n <= 128; n *= 2 {
		f, err := NewFFT(n)
		require.NoError(t, err)
		re, im := make([]float64, n), make([]float64, n)
		x := make([]complex128, n)
		for i := range x {
			re[i], im[i] = math.Sin(float64(i*i)), math.Cos(float64(3*i))
			x[i] = complex(re[i], im[i])
		}
		f.Transform(re, im)
		for j := range n {
			var sum complex128
			for k, v := range x {
				sum += v * cmplx.Rect(1, -2*math.Pi*float64(j*k%n)/float64(n))
			}
			require.InDelta(t, real(sum), re[j], 1e-10, "%d of %d", j, n)
			require.InDelta(t, imag(sum), im[j], 1e-10, "%d of %d", j, n)
		}
	}
}

func TestFFTOfOtherLengths(t *testing.T) {
	for _, n := range []int{-4, 0, 1, 3, 1000, 2 * MaxFFT} {
		_, err := NewFFT(n)
		require.ErrorContains(t, err, "not a power of two", n)
	}
	_, err := NewSpectrum(1, 16000)
	require.ErrorContains(t, err, "have no spectrum")
	_, err = NewSpectrum(100, 0)
	require.ErrorContains(t, err, "have no spectrum")
}

func TestSpectrumLikeNumpy(t *testing.T) {
	n := readNumpy(t)
	s, err := NewSpectrum(n.Frame, n.Rate)
	require.NoError(t, err)
	s.Frame(n.sound())
	require.Equal(t, 15.625, s.Bin())
	require.InDeltaSlice(t, n.Power, s.Power[:len(n.Power)], 1e-15)
	require.InDelta(t, n.Band, Decibels(s.Energy(Band{2500, 3500})), 1e-9)
	require.InDelta(t, n.Level, Decibels(s.Energy(Band{0, 1e6})), 0.1, "all bins together are the mean square")
}

// A sine has its power in the band that it lies in, whatever the frame's length.
func TestSpectrumOfSines(t *testing.T) {
	for _, frame := range []int{160, 320, 1024, 1600, 1601, 16000} {
		s, err := NewSpectrum(frame, 16000)
		require.NoError(t, err)
		x := make([]float64, frame)
		for i := range x {
			x[i] = 0.25 * math.Sin(2*math.Pi*3000*float64(i)/16000)
		}
		s.Frame(x)
		require.InDelta(t, 0.25*0.25/2, s.Energy(Band{2500, 3500}), 0.0007, frame)
		require.Less(t, Decibels(s.Energy(Band{0, 2000})), -60., frame)
		require.Zero(t, s.Energy(Band{8500, 9000}), "above half the rate there is nothing")
	}
}

func TestDecibels(t *testing.T) {
	require.Equal(t, 0., Decibels(1))
	require.InDelta(t, -20, Decibels(0.01), 1e-12)
	for _, silent := range []float64{0, -1, 1e-300, math.NaN()} {
		require.Equal(t, float64(Floor), Decibels(silent))
	}
}

func TestParseBand(t *testing.T) {
	b, err := ParseBand("125-250Hz")
	require.NoError(t, err)
	require.Equal(t, Band{125, 250}, b)
	_, err = ParseBand("250-125Hz")
	require.ErrorContains(t, err, "250 is not below 125")
}
