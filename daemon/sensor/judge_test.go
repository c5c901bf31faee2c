package sensor

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// judged is what becomes of a reading with these values.
func judged(j *Judge, at time.Duration, values ...float64) Reading {
	r := Reading{At: at}
	for i, v := range values {
		r.Samples = append(r.Samples, encoder.Sample{Channel: []string{"light", "heat"}[i], At: at, Value: v})
	}
	j.Look(&r)
	return r
}

// TestRow35Frozen: equal values for long enough, and often enough, are no
// measurement; the first other value is one again.
func TestRow35Frozen(t *testing.T) {
	frozen := func(change func(*Config)) *Judge {
		c := light("desk")
		c.FrozenAfter.UnmarshalText([]byte("1m"))
		change(&c)
		require.NoError(t, c.Check())
		return NewJudge(&c)
	}
	t.Run("masked until the first other value", func(t *testing.T) {
		j := frozen(func(*Config) {})
		for s := range 61 {
			require.NoError(t, judged(j, time.Duration(s)*time.Second, 500).Err, "second %d", s)
		}
		for s := 61; s < 65; s++ {
			r := judged(j, time.Duration(s)*time.Second, 500)
			require.ErrorIs(t, r.Err, ErrFrozen)
			require.EqualError(t, r.Err, "frozen: the same value for more than 1m0s")
			require.Empty(t, r.Samples)
		}
		r := judged(j, 65*time.Second, 501)
		require.NoError(t, r.Err)
		require.Len(t, r.Samples, 1)
		require.NoError(t, judged(j, 66*time.Second, 501).Err)
	})
	t.Run("kept when asked to", func(t *testing.T) {
		j := frozen(func(c *Config) { c.Frozen = FrozenKeep })
		judgeFor(j, 100, func(int) float64 { return 0 })
		r := judged(j, 100*time.Second, 0)
		require.ErrorIs(t, r.Err, ErrFrozen)
		require.Len(t, r.Samples, 1)
	})
	t.Run("a few readings are not enough", func(t *testing.T) {
		j := frozen(func(*Config) {})
		for i := range fewestFrozen - 1 {
			require.NoError(t, judged(j, time.Duration(i)*time.Hour, 500).Err)
		}
		require.ErrorIs(t, judged(j, 10*time.Hour, 500).Err, ErrFrozen)
	})
	t.Run("all values of the sensor count", func(t *testing.T) {
		j := frozen(func(*Config) {})
		for s := range 300 {
			require.NoError(t, judged(j, time.Duration(s)*time.Second, 500, float64(s%2)).Err)
		}
	})
	t.Run("failures in between prove nothing", func(t *testing.T) {
		j := frozen(func(*Config) {})
		judgeFor(j, 40, func(int) float64 { return 7 })
		r := Reading{At: 41 * time.Second, Err: ErrTimeout}
		j.Look(&r)
		require.ErrorIs(t, r.Err, ErrTimeout)
		require.ErrorIs(t, judged(j, 70*time.Second, 7).Err, ErrFrozen)
	})
	t.Run("only who asks, and chips that are never still", func(t *testing.T) {
		c := light("desk")
		require.Zero(t, c.frozenAfter(), "a dark room is 0 lx all night")
		c.Driver, c.Channels = "bme280", nil
		require.Equal(t, 10*time.Minute, c.frozenAfter())
		c.Frozen = FrozenOff
		require.NoError(t, c.Check())
		require.Zero(t, c.frozenAfter())
	})
}

func judgeFor(j *Judge, seconds int, value func(int) float64) {
	for s := range seconds {
		r := Reading{At: time.Duration(s) * time.Second, Samples: []encoder.Sample{{Channel: "light", Value: value(s)}}}
		j.Look(&r)
	}
}

// TestRow37OutOfRange: a value that cannot be true fails the reading, is clamped,
// or masks the sensor, as the configuration says; NaN is never let through.
func TestRow37OutOfRange(t *testing.T) {
	for _, c := range []struct {
		policy string
		value  float64
		want   float64
		err    string
		masks  bool
	}{
		{"", 500, 500, "", false},
		{"", 0, 0, "", false},
		{"", 120000, 120000, "", false},
		{"", 120001, 0, "lux: 120001 is not in the range 0 to 120000", false},
		{"", math.Inf(1), 0, "lux: +Inf is not in the range 0 to 120000", false},
		{"", math.NaN(), 0, "lux: NaN is not in the range 0 to 120000", false},
		{RangeDrop, -0.5, 0, "lux: -0.5 is not in the range 0 to 120000", false},
		{RangeClamp, -0.5, 0, "", false},
		{RangeClamp, 1e9, 120000, "", false},
		{RangeClamp, math.Inf(-1), 0, "", false},
		{RangeClamp, math.NaN(), 0, "lux: NaN is not in the range 0 to 120000", false},
		{RangeMask, 1e9, 0, "lux: 1e+09 is not in the range 0 to 120000, masked by out_of_range", true},
	} {
		config := light("desk")
		config.Ranges, config.OutOfRange = map[string][2]float64{"lux": {0, 120000}}, c.policy
		require.NoError(t, config.Check())
		j := NewJudge(&config)
		r := judged(j, 0, c.value)
		if c.err != "" {
			require.EqualError(t, r.Err, c.err)
			require.Empty(t, r.Samples)
		} else {
			require.NoError(t, r.Err)
			require.Equal(t, c.want, r.Samples[0].Value)
		}
		require.Equal(t, c.masks, errors.Is(r.Err, ErrMasked))
		require.Equal(t, c.err != "" || c.value != c.want, j.Strays() == 1, "%v", c)
		require.NoError(t, judged(j, 1, 100).Err)
	}
}

func TestCheckOfTrust(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`frozen_after: 1ms is not in 1s to 24h0m0s`:                       func(c *Config) { c.FrozenAfter = encoder.Duration(time.Millisecond) },
		`frozen: "thaw" is not one of: mask, keep, off`:                   func(c *Config) { c.Frozen = "thaw" },
		`frozen: frozen_after says after how long`:                        func(c *Config) { c.Frozen = FrozenKeep },
		`reinit: 1s is not in 10s to 24h0m0s`:                             func(c *Config) { c.Reinit = encoder.Duration(time.Second) },
		`ranges: there is no reading "lumen", only: lux`:                  func(c *Config) { c.Ranges = map[string][2]float64{"lumen": {0, 1}} },
		`ranges: lux: [1, 1] is not a smaller and a larger finite number`: func(c *Config) { c.Ranges = map[string][2]float64{"lux": {1, 1}} },
		`ranges: lux: [0, +Inf] is not a smaller and a larger`:            func(c *Config) { c.Ranges = map[string][2]float64{"lux": {0, math.Inf(1)}} },
		`out_of_range: there are no ranges: set them`:                     func(c *Config) { c.OutOfRange = RangeDrop },
		`out_of_range: "reject" is not one of: drop, clamp, mask`:         func(c *Config) { c.OutOfRange = "reject" },
		`frozen_after: a key of type i2c, spi, gpio, iio, hwmon`: func(c *Config) {
			*c = Config{Alias: "a", Type: Push, FrozenAfter: 1, Channels: map[string]string{"x": "x"}}
		},
	} {
		c := light("desk")
		change(&c)
		require.ErrorContains(t, c.Check(), want)
	}
}

func TestJudgingAllocatesNothing(t *testing.T) {
	c := light("desk")
	c.Ranges, c.OutOfRange = map[string][2]float64{"lux": {0, 120000}}, RangeClamp
	c.FrozenAfter = encoder.Duration(time.Minute)
	j := NewJudge(&c)
	samples := []encoder.Sample{{Channel: "light"}}
	at, n := time.Duration(0), 0.
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		at, n = at+time.Second, n+0.5
		samples[0].Value = float64(int(n)) * 1e3
		r := Reading{At: at, Samples: samples}
		j.Look(&r)
	}))
	var none *Judge
	none.Look(&Reading{})
}
