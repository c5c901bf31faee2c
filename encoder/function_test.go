package encoder

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oneSlice returns the features of a single slice of one channel.
func oneSlice(t *testing.T, d Definition, samples ...Sample) []float32 {
	t.Helper()
	d.Encoder, d.Channels, d.Regions, d.Every = Windowed, []string{"c"}, 1, Duration(10*time.Second)
	w, err := NewWindow(d)
	require.NoError(t, err)
	for _, s := range samples {
		s.Channel = "c"
		require.True(t, w.Add(s))
	}
	dst := make([]float32, d.Width())
	rows, _ := w.Regions(10*time.Second, dst)
	require.Equal(t, 1, rows)
	return dst
}

// seconds returns samples at 1 s, 2 s, … with the values given.
func seconds(values ...float64) []Sample {
	var s []Sample
	for i, v := range values {
		s = append(s, Sample{At: time.Duration(i+1) * time.Second, Value: v})
	}
	return s
}

// The values are computed by hand.
func TestFunctions(t *testing.T) {
	for _, c := range []struct {
		function string
		samples  []Sample
		want     float64
	}{
		{"last", seconds(3, 1, 2), 2},
		{"mean", seconds(3, 1, 2, 4), 2.5},
		{"min", seconds(3, -1, 2), -1},
		{"max", seconds(3, -1, 2), 3},
		{"range", seconds(3, -1, 2), 4},
		{"range", seconds(5), 0},
		{"median", seconds(9, 1, 2), 2},
		{"median", seconds(9, 1, 2, 4), 3},
		{"std", seconds(2, 4, 4, 4, 5, 5, 7, 9), 2},
		{"std", seconds(5), 0},
		{"slope", seconds(1, 3, 2, 5), 1.1},
		{"slope", seconds(7), 0},
		{"slope", []Sample{{At: time.Second, Value: 1}, {At: time.Second, Value: 5}}, 0},
		{"slope", []Sample{{At: time.Second, Value: 1}, {At: 1500 * time.Millisecond, Value: 0}}, -2},
		{"rms", seconds(3, -4, 0, 5), math.Sqrt(12.5)},
		{"count", seconds(3, 1, 2), 3},
		{"crossings", seconds(1, -1, 1, -1), 3},
		{"crossings", seconds(11, 9, 9, 11), 2},
		{"crossings", seconds(1, 0, -1), 1},    // a sample on the mean is passed over
		{"crossings", seconds(1, 0, 1, -2), 1}, // and is no crossing when the sign returns
		{"crossings", seconds(0, 0, 1, -1), 1}, // nor at the start
		{"crossings", seconds(4, 4, 4), 0},
		// Four samples at 1 Hz have the bins 0, 0.25 and 0.5 Hz. X_0 = 10,
		// X_1 = (1−3) + i(4−2), X_2 = 1−2+3−4.
		{"energy:0-0.25Hz", seconds(1, 2, 3, 4), 100.0 / 4},
		{"energy:0.25-0.5Hz", seconds(1, 2, 3, 4), 8.0 / 4},
		{"energy:0.5-9Hz", seconds(1, 2, 3, 4), 4.0 / 4},
		{"energy:0-9Hz", seconds(1, 2, 3, 4), 112.0 / 4},
		{"energy:0.3-0.4Hz", seconds(1, 2, 3, 4), 0},
		{"energy:0-9Hz", seconds(5), 0},
		{"energy:0-9Hz", []Sample{{At: time.Second, Value: 1}, {At: time.Second, Value: 5}}, 0},
	} {
		got := oneSlice(t, Definition{Functions: []string{c.function}}, c.samples...)
		require.InDelta(t, c.want, got[0], 1e-6, "%s of %v", c.function, c.samples)
	}
}

// A sine of amplitude a in the middle of a band gives n·a²/4, nothing outside.
func TestEnergyOfSine(t *testing.T) {
	const n, amplitude = 100, 3.0
	var samples []Sample
	for i := range n { // 2 Hz at 10 Hz
		at := time.Duration(i+1) * 100 * time.Millisecond
		samples = append(samples, Sample{At: at, Value: amplitude * math.Sin(2*math.Pi*2*at.Seconds())})
	}
	got := oneSlice(t, Definition{Functions: []string{"energy:1.95-2.05Hz", "energy:2-2.05Hz", "energy:1.95-2Hz", "energy:0-1.95Hz"}}, samples...)
	require.InDelta(t, n*amplitude*amplitude/4, got[0], 1e-3)
	require.Equal(t, got[0], got[1], "the lower edge belongs to the band")
	require.InDelta(t, 0, got[2], 1e-9, "the upper edge does not")
	require.InDelta(t, 0, got[3], 1e-9)
}

func TestEnergyStaysExactOverLongSlices(t *testing.T) {
	x := make([]float64, maxSamples)
	for i := range x {
		x[i] = math.Cos(2 * math.Pi * 1000 * float64(i) / float64(len(x)))
	}
	n := float64(len(x))
	require.InEpsilon(t, n*n/4, power(x, 1000), 1e-9)
	require.InDelta(t, 0, power(x, 1001)/(n*n), 1e-20)
}

func TestFeaturesOfFiniteSamplesAreFinite(t *testing.T) {
	for _, samples := range [][]Sample{
		seconds(1e308, -1e308, 1e308, -1e308, 1e308),
		seconds(math.MaxFloat64, math.MaxFloat64, math.MaxFloat64),
		seconds(math.MaxFloat32, -math.MaxFloat32),
		seconds(5e-324, -5e-324, 1e-46),
	} {
		for _, baseline := range []bool{false, true} {
			got := oneSlice(t, Definition{Functions: allFunctions, Baseline: baseline}, samples...)
			for i, v := range got {
				require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0), "%s of %v is %v", allFunctions[i], samples, v)
			}
		}
	}
	require.Equal(t, []float32{math.MaxFloat32}, oneSlice(t, Definition{Functions: []string{"last"}}, seconds(1e300)...))
}

// What a caller should have kept out passes through and breaks nothing.
func TestNonFiniteSamples(t *testing.T) {
	samples := seconds(1, math.NaN(), math.Inf(1), math.Inf(-1), 2, math.NaN())
	got := oneSlice(t, Definition{Functions: []string{"last", "mean", "min"}, Baseline: true, BaselineWindow: Duration(2 * time.Second)}, samples...)
	for _, v := range got {
		require.True(t, math.IsNaN(float64(v)))
	}
	require.Equal(t, []float32{float32(math.Inf(1))}, oneSlice(t, Definition{Functions: []string{"max"}}, seconds(1, math.Inf(1))...))
}

func TestUnknownFunctions(t *testing.T) {
	for name, want := range map[string]string{
		"average":           `there is no function "average", only count, crossings, last, max, mean, median, min, range, rms, slope, std and energy:LO-HIHz`,
		"":                  `there is no function ""`,
		"energy:1-2":        "want two frequencies as in energy:0.5-3Hz",
		"energy:1Hz":        "want two frequencies",
		"energy:-1-2Hz":     `"" is no frequency`,
		"energy:1e1-2e1Hz":  `"1e1" is no frequency`,
		"energy:Inf-NaNHz":  `"Inf" is no frequency`,
		"energy:1-0x2Hz":    `"0x2" is no frequency`,
		"energy:3-3Hz":      "3 is not below 3",
		"energy:3-2.5Hz":    "3 is not below 2.5",
		"energy:1_0-20Hz":   `"1_0" is no frequency`,
		"energy:0.5-3HzHz":  `"3Hz" is no frequency`,
		"energy:0.5 - 3 Hz": `"0.5 " is no frequency`,
	} {
		_, err := parseFunction(name)
		require.ErrorContains(t, err, want, name)
	}
}
