// Package doctor finds out why a daemon, or a sensor of it, does not work on this
// machine, and which command mends it. It only looks: no fix is carried out.
package doctor

import (
	"slices"
	"strings"
)

// Severity is how much a Finding matters.
type Severity string

// From what is well to what keeps something from working.
const (
	OK      Severity = "ok"
	Note    Severity = "note"
	Warning Severity = "warning"
	Problem Severity = "problem"
)

var severities = []Severity{Problem, Warning, Note, OK}

// Finding is the outcome of one check.
type Finding struct {
	Severity Severity `json:"severity"`
	// What is the case, and Why, or what follows from it.
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	// Fix are commands for a shell of root, each by itself a step of the cure, in
	// their order.
	Fix []string `json:"fix,omitempty"`
}

// sorted puts what matters most first and keeps the order of the checks otherwise.
func sorted(all []Finding) (out []Finding) {
	for _, severity := range severities {
		for _, f := range all {
			if f.Severity == severity {
				out = append(out, f)
			}
		}
	}
	return out
}

// merged makes one finding of those that say the same of several sensors.
func merged(all []Finding) (out []Finding) {
	for _, f := range all {
		alias, rest, ok := aboutSensor(f.What)
		i := slices.IndexFunc(out, func(o Finding) bool {
			_, other, same := aboutSensor(o.What)
			return ok && same && f.Severity != OK && other == rest && o.Severity == f.Severity && o.Why == f.Why && slices.Equal(o.Fix, f.Fix)
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		before, _, _ := aboutSensor(out[i].What)
		out[i].What = "sensors " + before + ", " + alias + ": " + rest
	}
	return out
}

// aboutSensor parts "sensor NAME: text" and "sensors NAME, NAME: text".
func aboutSensor(what string) (names, rest string, ok bool) {
	subject, rest, ok := strings.Cut(what, ": ")
	word, names, both := strings.Cut(subject, " ")
	return names, rest, ok && both && (word == "sensor" || word == "sensors")
}
