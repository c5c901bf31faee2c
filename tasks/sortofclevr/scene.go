package main

import "math/rand/v2"

const (
	side    = 75 // pixels of a picture
	objects = 6  // one of each colour
	radius  = 5  // of a circle, and half the side of a rectangle
	// nearest is the smallest squared distance of two centres.
	nearest = 100
)

// colours are the names of the objects, in the order in which they are drawn.
var colours = [objects]string{"red", "green", "blue", "orange", "gray", "yellow"}

// object is a rectangle or a circle around a centre; y counts downwards.
type object struct {
	x, y   int
	circle bool
}

// scene holds one object of each colour.
type scene [objects]object

// draw makes a scene: centres uniform in [5, 70) and apart, shapes even.
func draw(r *rand.Rand) (s scene) {
	for i := range s {
		for {
			s[i] = object{x: radius + r.IntN(side-2*radius), y: radius + r.IntN(side-2*radius)}
			if apart(s[i], s[:i]) {
				break
			}
		}
		s[i].circle = r.IntN(2) == 1
	}
	return s
}

// apart says whether an object keeps its distance to others.
func apart(o object, others []object) bool {
	for _, p := range others {
		if o.distance(p) < nearest {
			return false
		}
	}
	return true
}

// distance is squared.
func (o object) distance(p object) int {
	return (o.x-p.x)*(o.x-p.x) + (o.y-p.y)*(o.y-p.y)
}
