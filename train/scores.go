package train

import (
	"math"
)

// Scores are how good answers are. Of ClassScores and NumberScores one is there.
type Scores struct {
	Rows       int `json:"rows"`       // that were answered
	Unanswered int `json:"unanswered"` // because nothing, or no anchor, was there
	*ClassScores
	*NumberScores
}

// ClassScores are those of a classification. Means over classes are over those that are
// in the truth or in the answers.
type ClassScores struct {
	Accuracy float64    `json:"accuracy"`
	Interval [2]float64 `json:"accuracy_95"` // by Wilson
	MacroF1  float64    `json:"macro_f1"`
	Recall   float64    `json:"recall"` // the mean over the classes of the truth
	Loss     float64    `json:"loss"`   // cross-entropy
	ECE      float64    `json:"ece"`    // expected calibration error, 15 bins
}

// NumberScores are those of a regression, over all targets.
type NumberScores struct {
	RMSE    float64 `json:"rmse"`
	MAE     float64 `json:"mae"`
	Pearson float64 `json:"pearson"`
	R2      float64 `json:"r2"` // the part of the targets' variance that is explained
}

// by returns the score that candidates are compared by, the higher the better. What was
// not answered counts as wrong.
func (s *Scores) by(word string) float64 {
	score := 0.0
	switch {
	case s.NumberScores != nil:
		return s.R2
	case s.ClassScores == nil:
		return 0
	case word == ByAccuracy:
		score = s.Accuracy
	case word == ByMacroF1:
		score = s.MacroF1
	default:
		score = s.Recall
	}
	return score * float64(s.Rows) / float64(max(s.Rows+s.Unanswered, 1))
}

// confusion counts answers: [truth][answer].
func confusion(a *replies, classes []int64) [][]int {
	table := make([][]int, a.outputs)
	for c := range table {
		table[c] = make([]int, a.outputs)
	}
	for i, example := range a.examples {
		table[classes[example]][largestOf(a.row(i))]++
	}
	return table
}

// classScores scores the answers of a classifier.
func classScores(a *replies, classes []int64) Scores {
	table := confusion(a, classes)
	s := Scores{Rows: len(a.examples), Unanswered: a.silent, ClassScores: &ClassScores{}}
	right := 0
	var f1, recall, present, known float64
	for c := range table {
		var truth, said int
		for k := range table {
			truth += table[c][k]
			said += table[k][c]
		}
		right += table[c][c]
		if truth+said > 0 {
			present++
			f1 += 2 * float64(table[c][c]) / float64(truth+said)
		}
		if truth > 0 {
			known++
			recall += float64(table[c][c]) / float64(truth)
		}
	}
	n := float64(max(s.Rows, 1))
	s.Accuracy, s.Interval = float64(right)/n, Wilson(right, s.Rows)
	s.MacroF1, s.Recall = f1/max(present, 1), recall/max(known, 1)
	s.Loss, s.ECE = calibration(a, classes)
	return s
}

// calibration returns the mean cross-entropy, and how far on average the probability of
// the answer is from how often such an answer is right.
func calibration(a *replies, classes []int64) (loss, ece float64) {
	const bins = 15
	var count, right, sure [bins]float64
	for i, example := range a.examples {
		p := softmax(a.row(i))
		best := largestOf(p)
		b := min(int(float64(p[best])*bins), bins-1)
		count[b]++
		sure[b] += float64(p[best])
		if int64(best) == classes[example] {
			right[b]++
		}
		loss -= math.Log(max(float64(p[classes[example]]), 1e-12))
	}
	n := float64(max(len(a.examples), 1))
	for b := range bins {
		ece += math.Abs(right[b]-sure[b]) / n
	}
	return loss / n, ece
}

// numberScores scores the answers of a regression.
func numberScores(a *replies, d *Data) Scores {
	s := Scores{Rows: len(a.examples), Unanswered: a.silent, NumberScores: &NumberScores{}}
	n := float64(max(len(a.logits), 1))
	var meanTruth, meanSaid float64
	truth := func(i int) float64 { return float64(d.Target[a.examples[i/a.outputs]*a.outputs+i%a.outputs]) }
	for i, v := range a.logits {
		off := float64(v) - truth(i)
		s.RMSE += off * off / n
		s.MAE += math.Abs(off) / n
		meanTruth += truth(i) / n
		meanSaid += float64(v) / n
	}
	var both, varTruth, varSaid float64
	for i, v := range a.logits {
		x, y := float64(v)-meanSaid, truth(i)-meanTruth
		both += x * y
		varSaid += x * x
		varTruth += y * y
	}
	if varTruth > 0 {
		s.R2 = 1 - s.RMSE*n/varTruth
		if varSaid > 0 {
			s.Pearson = both / math.Sqrt(varTruth*varSaid)
		}
	}
	s.RMSE = math.Sqrt(s.RMSE)
	return s
}

// Wilson returns the 95 % interval of a probability of which right of n trials are known.
func Wilson(right, n int) [2]float64 {
	if n == 0 {
		return [2]float64{0, 1}
	}
	const z = 1.959963984540054
	p, m := float64(right)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return [2]float64{max(0, middle-half), min(1, middle+half)}
}

// Mean is a mean over seeds with its standard error, 0 for one seed.
type Mean struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"standard_error"`
	N     int     `json:"n"`
}

func meanOver(x []float64) Mean {
	m := Mean{N: len(x)}
	for _, v := range x {
		m.Mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return m
	}
	sum := 0.0
	for _, v := range x {
		sum += (v - m.Mean) * (v - m.Mean)
	}
	m.Error = math.Sqrt(sum / float64(len(x)-1) / float64(len(x)))
	return m
}
