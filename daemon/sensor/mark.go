package sensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Mark is what the row of a recording that was delivered last says for training.
type Mark struct {
	// Split is an index into Splits, -1 where the row says nothing.
	Split int
	// Target is NaN where the row has none.
	Target float32
}

var noMark = Mark{-1, float32(math.NaN())}

// Splits are what rows can be meant for.
var Splits = []string{"train", "validation", "test"}

// Marks says which of them the configuration asks for.
type Marks struct{ Split, Target bool }

// group returns the part that a row belongs to, a new one where another group begins.
func (l *loader) group(cells []string) *stretch {
	name, row, n := "", l.out.rows.Rows(), len(l.out.parts)
	if l.out.grouped {
		name = strings.TrimSpace(cells[l.columns.group])
	}
	if n == 0 || l.out.parts[n-1].group != name {
		l.out.parts = append(l.out.parts, stretch{group: strings.Clone(name), begin: row, end: row})
		n++
	}
	return &l.out.parts[n-1]
}

// mark reads what a row says for training.
func (l *loader) mark(cells []string) error {
	if l.config.Split != "" {
		split, err := parseSplit(cells[l.columns.split])
		if err != nil {
			return l.fail(l.config.Split, err)
		}
		l.row.mark.Split = split
	}
	if l.config.Target != "" {
		v, err := parseCell(cells[l.columns.target])
		if err != nil {
			return l.fail(l.config.Target, err)
		}
		if v == notFinite {
			v = absent
		}
		l.row.mark.Target = float32(v)
	}
	return nil
}

func parseSplit(cell string) (int, error) {
	word := strings.ToLower(strings.TrimSpace(cell))
	switch word {
	case "":
		return -1, nil
	case "val", "valid", "dev":
		word = "validation"
	}
	i := slices.Index(Splits, word)
	if i < 0 {
		return 0, fmt.Errorf("%.40q is not one of: %s", cell, strings.Join(Splits, ", "))
	}
	return i, nil
}

// Marks says what the recordings hold for training.
func (r *Replay) Marks() (m Marks) {
	for _, p := range r.players {
		m.Split = m.Split || p.marks.Split
		m.Target = m.Target || p.marks.Target
	}
	return m
}

// Mark is what the newest rows say for training. It may be called while the
// replay delivers or advances, by who is called.
func (r *Replay) Mark() Mark {
	m := noMark
	for _, p := range r.players {
		if p.marks.Split && p.shown {
			m.Split = p.mark.Split
		}
		if p.marks.Target && p.shown {
			m.Target = p.mark.Target
		}
	}
	return m
}

// Stretch is a part of a replay on its own, and the group that it is of.
type Stretch struct {
	*Replay
	Group string
}

// Stretches takes a replay apart where the group changes, so that nothing need
// be carried over from one to the next; a replay without groups is one stretch with
// an empty name. They can be played until r is closed. All [[sensor]] blocks must have the same groups.
func (r *Replay) Stretches() ([]Stretch, error) {
	if !r.Grouped() {
		return []Stretch{{Replay: r}}, nil
	}
	var all []Stretch
	for i, s := range r.players[0].parts {
		part := &Replay{speed: r.speed, now: r.now}
		for _, p := range r.players {
			if len(p.parts) != len(r.players[0].parts) || p.parts[i].group != s.group {
				return nil, fmt.Errorf("group: the recordings of two [[sensor]] blocks do not have the same groups in the same order")
			}
			q := *p
			q.part = p.parts[i]
			part.players = append(part.players, &q)
		}
		if err := part.span(); err != nil {
			return nil, fmt.Errorf("group %s: %w", s.group, err)
		}
		all = append(all, Stretch{part, s.group})
	}
	return all, nil
}

// Grouped says whether some recording has groups.
func (r *Replay) Grouped() bool {
	return slices.ContainsFunc(r.players, func(p *player) bool { return p.grouped })
}
