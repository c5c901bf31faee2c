package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// objective is what training makes small, and what a validation counts.
type objective struct {
	classes    int // 0: regression
	outputs    int
	smoothing  float64
	weights    []float32 // of the classes; nil: 1
	huber      float32   // 0: none
	mean, unit []float32 // of the targets; the model learns (target − mean) / unit
}

// tally is what is counted over examples. The sums of several are added in a fixed order.
type tally struct {
	loss, weight float64
	squares      float64 // of deviations, regression
	examples     int
	right, total []int // by class
}

func newTally(classes int) tally {
	return tally{right: make([]int, classes), total: make([]int, classes)}
}

func (t *tally) reset() {
	t.loss, t.weight, t.squares, t.examples = 0, 0, 0, 0
	clear(t.right)
	clear(t.total)
}

func (t *tally) add(other *tally) {
	t.loss += other.loss
	t.weight += other.weight
	t.squares += other.squares
	t.examples += other.examples
	for c := range t.right {
		t.right[c] += other.right[c]
		t.total[c] += other.total[c]
	}
}

// meanLoss is the loss of an example.
func (t *tally) meanLoss() float64 { return t.loss / max(t.weight, math.SmallestNonzeroFloat64) }

// score is the higher the better, and at most 1: of a classifier the mean over the classes
// of how many of its examples are right; of a regression the part of the targets'
// variance that is explained.
func (t *tally) score(o *objective) float64 {
	if o.classes == 0 {
		return 1 - t.squares/float64(max(t.examples*o.outputs, 1))
	}
	sum, n := 0.0, 0
	for c, total := range t.total {
		if total > 0 {
			sum, n = sum+float64(t.right[c])/float64(total), n+1
		}
	}
	return sum / float64(max(n, 1))
}

// weightOf returns how much an example of a class counts.
func (o *objective) weightOf(class int64) float32 {
	if o.weights == nil {
		return 1
	}
	return o.weights[class]
}

// classify counts an example of a class and, unless dLogits is nil, sets the gradient of
// its loss times the factor. The loss is the cross-entropy with (1 − ε) of the label and
// ε of all labels alike; ε counts only with a gradient.
func (o *objective) classify(t *tally, dLogits, logits, room []float32, class int64, factor float32) {
	p := room[:len(logits)]
	ragedge.Softmax(p, logits)
	best := 0
	for c, v := range logits {
		if v > logits[best] {
			best = c
		}
	}
	share := 0.0 // of every label
	if dLogits != nil {
		share = o.smoothing / float64(len(logits))
	}
	sure := 1 - share*float64(len(logits))
	// log Σ e^logit, from the probability of the largest.
	total := float64(logits[best]) - math.Log(float64(p[best]))
	loss := total - sure*float64(logits[class])
	for _, v := range logits {
		loss -= share * float64(v)
	}
	w := o.weightOf(class)
	t.loss += float64(w) * loss
	t.weight += float64(w)
	t.examples++
	t.total[class]++
	if int64(best) == class {
		t.right[class]++
	}
	if dLogits == nil {
		return
	}
	for c, v := range p {
		want := float32(share)
		if int64(c) == class {
			want += float32(sure)
		}
		dLogits[c] = factor * w * (v - want)
	}
}

// regress counts an example with its targets and sets the gradient as classify does. The
// loss is half the square of the deviation, or of Huber, as the mean of the outputs.
func (o *objective) regress(t *tally, dLogits, logits, targets []float32, factor float32) {
	n := float32(len(logits))
	loss := 0.0
	for c, v := range logits {
		off := v - (targets[c]-o.mean[c])/o.unit[c]
		slope, cost := off, off*off/2
		if size := max(off, -off); o.huber > 0 && size > o.huber {
			slope, cost = min(max(off, -o.huber), o.huber), o.huber*(size-o.huber/2)
		}
		loss += float64(cost / n)
		t.squares += float64(off) * float64(off)
		if dLogits != nil {
			dLogits[c] = factor * slope / n
		}
	}
	t.loss += loss
	t.weight++
	t.examples++
}
