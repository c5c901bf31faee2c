package main

import "math/rand/v2"

// question asks something about the object of one colour. Relational questions
// need the other objects too.
type question struct {
	colour     int
	relational bool
	subtype    int
}

const (
	subtypes = 3
	// asked is how many questions of each kind go with a picture.
	asked = 10
)

// answers are what questions can be answered with, by the number of the answer.
var answers = [...]string{"yes", "no", "rectangle", "circle", "1", "2", "3", "4", "5", "6"}

const (
	yes = iota
	no
	rectangle
	circle
	one
)

// ask draws the questions about one picture: first those without relations.
func ask(r *rand.Rand) (all [2 * asked]question) {
	for i := range all {
		all[i] = question{colour: r.IntN(objects), relational: i >= asked, subtype: r.IntN(subtypes)}
	}
	return all
}

// answer is the index into answers.
func (s *scene) answer(q question) int {
	it := s[q.colour]
	if !q.relational {
		switch q.subtype {
		case 0:
			return it.shape()
		case 1:
			return verdict(2*it.x < side)
		default:
			return verdict(2*it.y < side)
		}
	}
	switch q.subtype {
	case 0:
		return s[s.extreme(q.colour, -1)].shape()
	case 1:
		return s[s.extreme(q.colour, 1)].shape()
	default:
		return one + s.alike(it) - 1
	}
}

// extreme returns the object farthest from that of a colour, or the closest when
// sign is -1; of several the first. The object itself counts as neither.
func (s *scene) extreme(colour, sign int) int {
	best := -1
	for i, o := range s {
		if i == colour {
			continue
		}
		if best < 0 || sign*o.distance(s[colour]) > sign*s[best].distance(s[colour]) {
			best = i
		}
	}
	return best
}

// alike counts the objects of one's shape, with itself.
func (s *scene) alike(it object) (n int) {
	for _, o := range s {
		if o.circle == it.circle {
			n++
		}
	}
	return n
}

func (o object) shape() int {
	if o.circle {
		return circle
	}
	return rectangle
}

func verdict(so bool) int {
	if so {
		return yes
	}
	return no
}
