package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/train"
)

// goal is what a figure is to reach, and what the short run must.
type goal struct {
	figure string
	goal   float64 // 0: only reported
	floor  float64 // of the short run; 0: none
}

// result adds up the answers of all folds, seed by seed.
type result struct {
	name       string
	seeds      []map[string]*count // figures by name
	confusions [][][]int           // by seed, of the parts without a name
	order      []string            // of the figures
	candidates []string            // that were compared, with their scores
	took       time.Duration
}

// count is right answers of all.
type count struct{ right, all float64 }

func newResult(name string, seeds int) *result {
	r := &result{name: name, confusions: make([][][]int, seeds)}
	for range seeds {
		r.seeds = append(r.seeds, map[string]*count{})
	}
	return r
}

func (r *result) candidate(name string) { r.candidates = append(r.candidates, name) }

// add takes in an evaluation. Examples that nothing is left to answer from count as
// wrong.
func (r *result) add(seed int, part string, e *train.Evaluation, against string) {
	name := "accuracy"
	if part != "" {
		name = part
	}
	r.count(seed, name, &e.Scores)
	if part != "" {
		return
	}
	if r.confusions[seed] == nil {
		r.confusions[seed] = make([][]int, len(e.Confusion))
		for k := range e.Confusion {
			r.confusions[seed][k] = make([]int, len(e.Confusion))
		}
	}
	for k, row := range e.Confusion {
		for j, n := range row {
			r.confusions[seed][k][j] += n
		}
	}
	if e.Against != nil {
		r.at(seed, against+" or not").add(e.Against.Accuracy, e.Rows, e.Rows)
	}
	for _, m := range e.Missing {
		if len(m.Without) == 1 {
			r.count(seed, "without "+m.Without[0], &m.Scores)
		}
	}
}

func (r *result) count(seed int, name string, s *train.Scores) {
	accuracy := 0.0
	if s.ClassScores != nil {
		accuracy = s.Accuracy
	}
	r.at(seed, name).add(accuracy, s.Rows, s.Rows+s.Unanswered)
}

func (r *result) at(seed int, name string) *count {
	if !slices.Contains(r.order, name) {
		r.order = append(r.order, name)
	}
	if r.seeds[seed][name] == nil {
		r.seeds[seed][name] = &count{}
	}
	return r.seeds[seed][name]
}

func (c *count) add(accuracy float64, answered, all int) {
	c.right += accuracy * float64(answered)
	c.all += float64(all)
}

// mean returns a figure over the seeds: per cent, its standard error, and how many
// examples one seed was asked about.
func (r *result) mean(figure string) (mean, deviation, n float64) {
	var all []float64
	for seed := range r.seeds {
		if figure == "macro-F1" {
			all = append(all, 100*macroF1(r.confusions[seed]))
		} else if c := r.seeds[seed][figure]; c != nil {
			all, n = append(all, 100*c.right/c.all), c.all
		}
	}
	for _, v := range all {
		mean += v / float64(len(all))
	}
	for _, v := range all {
		deviation += (v - mean) * (v - mean)
	}
	if len(all) > 1 {
		deviation = math.Sqrt(deviation / float64(len(all)-1) / float64(len(all)))
	}
	return mean, deviation, n
}

func macroF1(confusion [][]int) (f1 float64) {
	for c := range confusion {
		truth, said := 0, 0
		for k := range confusion {
			truth += confusion[c][k]
			said += confusion[k][c]
		}
		f1 += 2 * float64(confusion[c][c]) / float64(max(truth+said, 1)) / float64(len(confusion))
	}
	return f1
}

// table is the result in Markdown.
func (r *result) table(goals []goal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | reached | 95 %% interval | goal |\n|---|---|---|---|\n", r.name)
	figures := slices.Clone(r.order)
	if i := slices.Index(figures, "accuracy"); i >= 0 {
		figures = slices.Insert(figures, i+1, "macro-F1")
	}
	for _, figure := range figures {
		mean, deviation, n := r.mean(figure)
		wanted, interval := "", ""
		if i := slices.IndexFunc(goals, func(g goal) bool { return g.figure == figure }); i >= 0 && goals[i].goal > 0 {
			wanted = fmt.Sprintf("≥ %g", goals[i].goal)
			if mean < goals[i].goal {
				wanted += " missed"
			}
		}
		if figure != "macro-F1" {
			w := train.Wilson(int(math.Round(mean/100*n)), int(n))
			interval = fmt.Sprintf("%.2f to %.2f of %.0f", 100*w[0], 100*w[1], n)
		}
		fmt.Fprintf(&b, "| %s | %.2f ± %.2f | %s | %s |\n", figure, mean, deviation, interval, wanted)
	}
	fmt.Fprintf(&b, "\n%d seeds; %.0f s, %s\n", len(r.seeds), r.took.Seconds(), peakMemory())
	if len(r.candidates) > 0 {
		fmt.Fprintf(&b, "compared on the validation after a quarter of the training: %s\n", strings.Join(r.candidates, ", "))
	}
	return b.String()
}

// belowFloor names the figures that are below their floors.
func (r *result) belowFloor(goals []goal) (missed []string) {
	for _, g := range goals {
		if mean, _, _ := r.mean(g.figure); mean < g.floor {
			missed = append(missed, fmt.Sprintf("%s: %s is %.2f, want at least %g", r.name, g.figure, mean, g.floor))
		}
	}
	return missed
}
