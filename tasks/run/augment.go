package main

import (
	"math"
	"math/rand/v2"
)

const (
	mostTurn   = 20 * math.Pi / 180 // about each axis
	mostFaster = 0.4                // of the logarithm of speed
	mostLarger = 0.15               // of the logarithm of size
)

// augment returns copies of the first n rows of an excerpt as other people might have made
// them: the watch sits a little turned on the wrist, and the movement is faster or slower,
// larger or smaller; in every other copy, from the first on, it is that of the other arm.
// Gravity stays as long as it is.
func augment(e *excerpt, n int, seed uint64, copies int) (all []excerpt) {
	random, rows := rand.New(rand.NewPCG(seed, 1)), e.rows[:n]
	factor := func(most float64) float64 { return math.Exp((2*random.Float64() - 1) * most) }
	for number := range copies {
		turn, speed, size := turned(random), factor(mostFaster), factor(mostLarger)
		copied := *e
		copied.rows = nil
		for i := range int(float64(n-1) / speed) {
			at := float64(i) * speed
			row := between(rows, at)
			for axis, g := range steady(rows, int(at)) {
				row[axis] = g + speed*speed*(row[axis]-g)
			}
			if number%2 == 0 {
				row = mirrored(row)
			}
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

// steady is the mean acceleration of the second about a row, most of it gravity: how fast
// the movement is changes the rest.
func steady(rows [][6]float64, at int) (mean [3]float64) {
	from, to := max(0, at-watchRate/2), min(len(rows), at+watchRate/2)
	for _, row := range rows[from:to] {
		for k := range mean {
			mean[k] += row[k] / float64(to-from)
		}
	}
	return mean
}

// mirrored is the row of the same movement with the other arm, on which the watch is worn
// the same way up: its x axis, along the forearm, points to the elbow and not to the hand.
// A mirror turns rotations about the axes that lie in it round, not the one across it.
func mirrored(row [6]float64) [6]float64 {
	return [6]float64{-row[0], row[1], row[2], row[3], -row[4], -row[5]}
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
