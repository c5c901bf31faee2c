package kernel

import "math"

// ulp is the distance from y to the next float32 away from 0.
func ulp(y float64) float64 {
	_, exponent := math.Frexp(y)
	return math.Ldexp(1, max(exponent, -125)-24)
}
