package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// RunExp tests the exponential of a softmax, which sets dst[i] = e^x[i], on the
// range that softmax uses: 0 down to the last normal result. Every 211th float32
// is a sample, or every one with -exhaustive; both ends are always in.
func RunExp(t *testing.T, exp func(dst, x []float32)) {
	step := uint32(211)
	switch {
	case *exhaustive:
		step = 1
	case testing.Short():
		step = 4001
	}
	report, err := checkExp(exp, step)
	t.Log(report)
	require.NoError(t, err)
}

// checkExp reports the largest error of exp at every step-th float32. One step
// from the correctly rounded result is allowed.
func checkExp(exp func(dst, x []float32), step uint32) (report string, err error) {
	first, last := math.Float32bits(float32(math.Copysign(0, -1))), math.Float32bits(cutoff)
	var (
		x, got [256]float32
		steps  uint32  // most float32 steps from the correctly rounded result
		worst  float64 // most ulp from the exact result
		at     float32
	)
	for u := first; u <= last; {
		n := 0
		for ; n < len(x) && u <= last; n++ {
			x[n] = math.Float32frombits(u)
			if u != last && last-u < step {
				u = last
			} else {
				u += step
			}
		}
		exp(got[:n], x[:n])
		for i, v := range x[:n] {
			want := math.Exp(float64(v))
			_, exponent := math.Frexp(want)
			if d := math.Abs(float64(got[i])-want) / math.Ldexp(1, exponent-24); !(d <= worst) {
				worst, at = d, v
			}
			steps = max(steps, distance(got[i], float32(want)))
		}
	}
	report = fmt.Sprintf("worst exponential: %.3f ulp at %v, at most %d from the correctly rounded ones", worst, at, steps)
	if steps > 1 {
		return report, fmt.Errorf("%d ulp from a correctly rounded exponential", steps)
	}
	special := [...]float32{0, nan, odd, math.Nextafter32(cutoff, -inf), -100, -largest, -inf}
	exp(got[:], special[:])
	switch {
	case got[0] != 1:
		err = fmt.Errorf("e^0 is %v", got[0])
	case got[1] == got[1] || got[2] == got[2]:
		err = fmt.Errorf("e^NaN is %v and %v", got[1], got[2])
	case [4]float32(got[3:7]) != [4]float32{}:
		err = fmt.Errorf("below the last normal result: %v", got[3:7])
	}
	return report, err
}

// distance counts the float32 steps between two positive values.
func distance(a, b float32) uint32 {
	u, v := math.Float32bits(a), math.Float32bits(b)
	return max(u, v) - min(u, v)
}
