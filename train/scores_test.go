package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		right, n  int
		low, high float64
	}{{8, 10, 0.4902, 0.9433}, {0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {0, 0, 0, 1}, {445, 450, 0.9742, 0.9952}} {
		got := Wilson(tc.right, tc.n)
		require.InDelta(t, tc.low, got[0], 1e-4)
		require.InDelta(t, tc.high, got[1], 1e-4)
	}
}

// said returns answers of so sure a model: example i is answered with class[i].
func said(classes int, class []int, logit float32) *replies {
	a := &replies{outputs: classes}
	for i, c := range class {
		row := make([]float32, classes)
		row[c] = logit
		a.examples, a.logits = append(a.examples, i), append(a.logits, row...)
	}
	return a
}

func TestClassScores(t *testing.T) {
	truth := []int64{0, 0, 0, 0, 1, 1, 2, 2}
	s := classScores(said(4, []int{0, 0, 0, 1, 1, 1, 2, 0}, 2), truth)
	require.Equal(t, 8, s.Rows)
	require.InDelta(t, 6.0/8, s.Accuracy, 1e-12)
	require.InDelta(t, (3.0/4+1+1.0/2)/3, s.Recall, 1e-12)
	// F1 of 0: 2·3/(4+4), of 1: 2·2/(2+3), of 2: 2·1/(2+1); 3 is nowhere.
	require.InDelta(t, (6.0/8+4.0/5+2.0/3)/3, s.MacroF1, 1e-12)
	sure := math.Exp(2) / (math.Exp(2) + 3)
	require.InDelta(t, math.Abs(sure-6.0/8), s.ECE, 1e-6)
	require.InDelta(t, -(6*math.Log(sure)+2*math.Log((1-sure)/3))/8, s.Loss, 1e-6)

	require.InDelta(t, 0.75, s.by(ByAccuracy), 1e-12)
	s.Unanswered = 8
	require.InDelta(t, 0.375, s.by(ByAccuracy), 1e-12, "what is not answered is not right")
}

func TestNumberScores(t *testing.T) {
	d := &Data{Target: []float32{1, 2, 3, 4}, Targets: 1}
	a := &replies{outputs: 1, examples: []int{0, 1, 2, 3}, logits: []float32{2, 3, 4, 5}}
	s := numberScores(a, d)
	require.InDelta(t, 1, s.RMSE, 1e-12)
	require.InDelta(t, 1, s.MAE, 1e-12)
	require.InDelta(t, 1, s.Pearson, 1e-12)
	require.InDelta(t, 1-4/5.0, s.R2, 1e-12)
	a.logits = []float32{1, 1, 1, 1}
	require.Zero(t, numberScores(a, d).Pearson)
}

// TestTemperature finds by what logits were multiplied.
func TestTemperature(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a, classes := &replies{outputs: 3}, []int64(nil)
	for i := range 20000 {
		row := []float32{float32(random.NormFloat64()), float32(random.NormFloat64()), float32(random.NormFloat64())}
		p, at, class := softmax(row), float32(random.Float64()), int64(0)
		for class < 2 && at > p[class] {
			at -= p[class]
			class++
		}
		for k := range row {
			row[k] *= 3
		}
		a.examples, a.logits, classes = append(a.examples, i), append(a.logits, row...), append(classes, class)
	}
	require.InDelta(t, 3, temperature(a, classes), 0.15)
	require.InDelta(t, coldest, temperature(said(2, []int{0, 1}, 1), []int64{0, 1}), 1e-3, "never surer than that")
	require.Equal(t, 1.0, temperature(&replies{outputs: 2}, nil))
}

// TestCool: the logits of a model are divided, whether the head has a hidden layer or not.
func TestCool(t *testing.T) {
	for _, hidden := range []int{0, 5} {
		c := eitherConfig()
		c.Head.Hidden = hidden
		p := randomParameters(t, c, 4, false)
		ask := func() []float32 {
			m, err := p.Model()
			require.NoError(t, err)
			v, err := newVoter(either(t, 3), m)
			require.NoError(t, err)
			logits, _, err := v.ask(1)
			require.NoError(t, err)
			return append([]float32(nil), logits...)
		}
		before := ask()
		p.cool(4)
		for i, v := range ask() {
			require.InDelta(t, before[i]/4, v, 1e-5)
		}
	}
}

func TestAgainst(t *testing.T) {
	e := &Evaluation{Labels: []string{"empty", "one", "two"}, Confusion: [][]int{{5, 1, 0}, {2, 3, 4}, {0, 1, 6}}}
	require.NoError(t, e.against("empty"))
	require.InDelta(t, 19.0/22, e.Against.Accuracy, 1e-12)
	require.InDelta(t, 28.0/31, e.Against.F1, 1e-12)
	require.ErrorIs(t, e.against("three"), ErrOption)
}

func TestMissingPairs(t *testing.T) {
	c := fusion.Config{Modalities: []fusion.Modality{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	require.Equal(t, [][]string{{"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"b", "c"}}, missing(&c))
	c.Modalities = c.Modalities[:2]
	require.Equal(t, [][]string{{"a"}, {"b"}}, missing(&c))
	c.Modalities = c.Modalities[:1]
	require.Empty(t, missing(&c))
}
