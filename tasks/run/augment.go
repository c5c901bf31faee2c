package main

import (
	"math"
	"math/rand/v2"
)

const (
	mostTurn = 20 * math.Pi / 180 // about each axis
	mostWarp = 0.15               // of the logarithm of speed and size
)

// augment returns copies of the first n rows of an excerpt as other people might have made
// them: the watch sits a little turned on the wrist, and the movement is faster or slower,
// larger or smaller. Gravity stays as long as it is.
func augment(e *excerpt, n int, seed uint64, copies int) (all []excerpt) {
	random := rand.New(rand.NewPCG(seed, 1))
	factor := func() float64 { return math.Exp((2*random.Float64() - 1) * mostWarp) }
	for range copies {
		turn, speed, size := turned(random), factor(), factor()
		copied := *e
		copied.rows = nil
		for i := range int(float64(n-1) / speed) {
			row := between(e.rows, float64(i)*speed)
			var out [6]float64
			for k := range 3 {
				for j := range 3 {
					out[k] += turn[k][j] * row[j]
					out[3+k] += turn[k][j] * row[3+j] * speed * size
				}
			}
			copied.rows = append(copied.rows, out)
		}
		all = append(all, copied)
	}
	return all
}

// between interpolates between two rows.
func between(rows [][6]float64, at float64) [6]float64 {
	i := int(at)
	row, part := rows[i], at-float64(i)
	if i+1 < len(rows) {
		for k := range row {
			row[k] += part * (rows[i+1][k] - row[k])
		}
	}
	return row
}

// turned is a rotation by random angles.
func turned(random *rand.Rand) [3][3]float64 {
	m := [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for axis := range 3 {
		sin, cos := math.Sincos((2*random.Float64() - 1) * mostTurn)
		i, j := (axis+1)%3, (axis+2)%3
		for k := range 3 {
			m[i][k], m[j][k] = cos*m[i][k]-sin*m[j][k], sin*m[i][k]+cos*m[j][k]
		}
	}
	return m
}
