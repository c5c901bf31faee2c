package kerneltest

import (
	"fmt"
	"math"
	"testing"
)

// sweep reports the largest error of m over float32 values of either sign, every
// 4001st or all of them with -exhaustive, and demands that it is within the bound.
// The results of a tanh must also be odd, to the bit.
func sweep(m mapping) (report string, err error) {
	step := uint32(4001)
	switch {
	case *exhaustive:
		step = 1
	case testing.Short():
		step = 20011
	}
	var (
		x, got [512]float32
		worst  float64
		at     float32
	)
	const last = 0x7f800000 // +Inf
	for u := uint32(0); u <= last; {
		n := 0
		for ; n < len(x) && u <= last; n += 2 {
			x[n], x[n+1] = math.Float32frombits(u), math.Float32frombits(u|1<<31)
			u += step
		}
		m.run(got[:n], x[:n])
		for i, v := range x[:n] {
			if err := m.error(v, got[i]); err != nil {
				return report, err
			}
			y := m.exact(v)
			if d := math.Abs(float64(got[i])-y) / ulp(y); d > worst {
				worst, at = d, v
			}
			if i%2 == 1 && m.name == "tanh" && got[i] != -got[i-1] {
				return report, fmt.Errorf("tanh of ±%v is %v and %v", x[i-1], got[i-1], got[i])
			}
		}
	}
	return fmt.Sprintf("worst %s: %.3f ulp at %v", m.name, worst, at), nil
}

// ulp is the distance from y to the next float32 away from 0.
func ulp(y float64) float64 {
	_, exponent := math.Frexp(y)
	return math.Ldexp(1, max(exponent, -125)-24)
}
