package train

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// eitherSearch looks for a model that tells whether exactly one of two modalities is
// high, in recordings of 60 examples each.
func eitherSearch(t testing.TB) *Search {
	d := either(t, 600)
	d.Group = make([]int64, 600)
	for i := range d.Group {
		d.Group[i] = int64(i / 60)
	}
	task := DefaultTask()
	task.Name, task.Strategies, task.Widths, task.Align = "either", []string{"gate", "co"}, []int{16}, []string{"identity"}
	task.Pool, task.Epochs, task.LearningRate, task.Batch, task.TestGroups = []string{"mean"}, 12, 1e-2, 16, []string{"8", "9"}
	return &Search{Task: task, Data: &Set{Data: d, Name: "either"}, Threads: 2, Version: "test", Now: time.Unix(1e9, 0)}
}

// plain returns a report without what another run measures otherwise.
func plain(t *testing.T, s *Selection) string {
	r := *s.Report
	r.Seconds, r.Table, r.Curves = 0, slices.Clone(r.Table), nil
	for i := range r.Table {
		r.Table[i].Latency = 0
	}
	text := func(r Report) string {
		v, test := *r.Validation, *r.Test
		v.Latency, test.Latency = 0, 0
		r.Validation, r.Test = &v, &test
		b, err := json.Marshal(r)
		require.NoError(t, err)
		return string(b)
	}
	return text(r)
}

// TestSearch finds the strategy that can learn what no modality says alone, and gives the
// same to the bit on one thread and on three.
func TestSearch(t *testing.T) {
	var models [][]float32
	var reports []string
	counts := []int{1, 3}
	if testing.Short() {
		counts = counts[1:]
	}
	for _, threads := range counts {
		s := eitherSearch(t)
		s.Threads = threads
		finished, last := 0, 0
		s.Progress = func(p Progress) {
			require.LessOrEqual(t, p.Done, p.All)
			if p.Finished {
				finished++
				last = p.Done
			}
		}
		selection, err := s.Run(t.Context())
		require.NoError(t, err)
		r := selection.Report
		require.Equal(t, 18, finished, "two models, three single modalities and early fusion, three seeds each")
		require.Equal(t, 18, last)
		var names []string
		for _, row := range r.Table {
			names = append(names, row.Name)
			require.Len(t, row.Scores, 3)
			require.Positive(t, row.Latency)
			require.Positive(t, row.Parameters)
			require.NotNil(t, row.TestAccuracy)
			if row.Kind == kindSingle {
				require.Less(t, row.Validation.Mean, 0.7, "one modality says nothing")
			}
		}
		require.Equal(t, []string{"gate", "co", "only left", "only right", "only noise", "early fusion", "late fusion"}, names)
		require.Greater(t, r.Validation.Accuracy, 0.9)
		require.Equal(t, 120, r.Test.Rows)
		require.Greater(t, r.Test.Accuracy, 0.9)
		require.Len(t, r.Test.Missing, 6)
		require.Less(t, r.Test.Missing[0].Accuracy, 0.75, "without left nothing is known")
		require.Equal(t, SplitGroups, r.Split.Method)
		require.Len(t, r.Curves, 3)
		require.Regexp(t, "^sha256:[0-9a-f]{64}$", r.Data.Digest)

		model, err := selection.Parameters.Model()
		require.NoError(t, err)
		var card Report
		require.NoError(t, json.Unmarshal([]byte(model.Card), &card))
		require.Equal(t, r.Chosen, card.Chosen)
		require.Empty(t, card.Curves)
		again, err := Evaluate(t.Context(), model, s.Data.Data, numbers(480, 600), "")
		require.NoError(t, err)
		require.Equal(t, r.Test.Scores, again.Scores, "the report is about the file")
		models, reports = append(models, selection.Parameters.values), append(reports, plain(t, selection))
	}
	last := len(models) - 1
	require.Equal(t, models[0], models[last])
	require.Equal(t, reports[0], reports[last])
}

// TestSearchTestFiles scores on other data, whose labels come in another order.
func TestSearchTestFiles(t *testing.T) {
	s := eitherSearch(t)
	s.Task.MakeQuick()
	s.Task.TestGroups, s.Task.Strategies, s.Task.Baselines = nil, []string{"co"}, true
	test := either(t, 80)
	test.Labels = []string{"other", "same"}
	for i, label := range test.Label {
		test.Label[i] = 1 - label
	}
	test.Label[0] = Unlabelled
	s.Test = &Set{Data: test, Name: "more"}
	selection, err := s.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 79, selection.Report.Test.Rows)
	require.Greater(t, selection.Report.Test.Accuracy, 0.85)
	for _, row := range selection.Report.Table {
		require.NotNil(t, row.TestAccuracy, row.Name)
	}
	require.Equal(t, "more", selection.Report.Data.TestName)
	require.Contains(t, strings.Join(selection.Report.Notes, "\n"), "one seed")

	test.Labels = []string{"other", "alien"}
	_, err = s.Run(t.Context())
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, `"alien"`)
}

func TestSearchRegression(t *testing.T) {
	s := eitherSearch(t)
	s.Task.Task, s.Task.Strategies, s.Task.Baselines = fusion.Regress, []string{"co"}, false
	s.Data.Target[7] = float32(nan())
	selection, err := s.Run(t.Context())
	require.NoError(t, err)
	r := selection.Report
	require.Equal(t, "r2", r.Select)
	require.Greater(t, r.Test.Pearson, 0.9)
	require.NotNil(t, r.Table[0].TestPearson)
	require.Zero(t, r.Temperature)
	require.Contains(t, r.Notes[0], "1 of 600 examples have no target")
	require.Contains(t, string(r.HTML()), "RMSE")
}

// TestSearchInterrupted keeps the best so far when it is stopped, and says so.
func TestSearchInterrupted(t *testing.T) {
	s := eitherSearch(t)
	s.Threads = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Progress = func(p Progress) {
		if p.Done == 3 && !p.Finished {
			cancel()
		}
	}
	selection, err := s.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, "it was interrupted", selection.Report.Interrupted)
	require.Len(t, selection.Report.Table, 3, "one that was cut short is not compared with others")
	require.Len(t, selection.Report.Table[0].Scores, 1)
	_, err = selection.Files()
	require.NoError(t, err)

	s = eitherSearch(t) // in the first training
	s.Threads = 1
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	s.Progress = func(p Progress) {
		if p.Epoch.Epoch == 2 {
			cancel()
		}
	}
	selection, err = s.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, "gate", selection.Report.Chosen)
	require.Len(t, selection.Report.Curves[0].Epochs, 2)

	_, err = s.Run(ctx) // before anything
	require.ErrorIs(t, err, ErrUnfinished)
	require.ErrorContains(t, err, "interrupted")

	s = eitherSearch(t)
	s.Task.Budget = encoder.Duration(time.Nanosecond)
	_, err = s.Run(t.Context())
	require.ErrorIs(t, err, ErrUnfinished)
	require.ErrorContains(t, err, "budget")
}

// TestSearchDiverges: when no training has an epoch with finite numbers, the error says so;
// a single one is left out, and the report says that.
func TestSearchDiverges(t *testing.T) {
	s := eitherSearch(t)
	s.Task.Clip, s.Task.LearningRate, s.Task.WeightDecay = 0, 1e30, 1
	_, err := s.Run(t.Context())
	require.ErrorIs(t, err, ErrUnfinished)
	require.ErrorContains(t, err, "diverged: lower train.learning_rate")

	s = eitherSearch(t)
	s.Task.Epochs = 2
	split, err := s.Task.Divide(s.Data)
	require.NoError(t, err)
	w := &search{Search: s, split: split, test: portion{s.Data.Data, split.Test}}
	w.candidates, err = s.Task.candidates(s.Data, split.Train)
	require.NoError(t, err)
	_, w.classes, err = knownTo(&w.candidates[0].config, s.Data.Data)
	require.NoError(t, err)
	require.NoError(t, w.trainAll(t.Context()))
	w.done[0][0] = &training{err: ErrDiverged}
	selection, err := w.choose(t.Context(), "", time.Second)
	require.NoError(t, err)
	require.Len(t, selection.Report.Table[0].Scores, 2)
	require.Len(t, selection.Report.Table[1].Scores, 3)
	require.Contains(t, strings.Join(selection.Report.Notes, "\n"), "gate with seed 1 is left out: training diverged")
}

func nan() float64 { z := 0.0; return z / z }

func TestSearchRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(s *Search)
		want   error
		words  string
	}{
		"NaN":           {func(s *Search) { s.Data.inputs[0].values[6*30] = float32(nan()) }, ErrData, "left is NaN in example 30"},
		"no label":      {func(s *Search) { s.Task.ClassWeights = map[string]float64{"none": 1} }, ErrTask, `"none"`},
		"learning rate": {func(s *Search) { s.Task.LearningRate = -1 }, ErrOption, "learning rate"},
		"anchor":        {func(s *Search) { s.Task.Align, s.Task.Anchor = []string{"anchor"}, "middle" }, ErrTask, "anchor"},
		"two tests":     {func(s *Search) { s.Test = s.Data }, ErrTask, "one of the two"},
		"no labels":     {func(s *Search) { s.Data.Label = nil; s.Task.TestGroups = nil }, ErrData, "no example has a label"},
	} {
		t.Run(name, func(t *testing.T) {
			s := eitherSearch(t)
			s.Task.Epochs = 1
			tc.change(s)
			selection, err := s.Run(t.Context())
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.words)
			require.Nil(t, selection)
		})
	}
}

// TestSearchNotes what is wrong with the data but does not stop training.
func TestSearchNotes(t *testing.T) {
	s := eitherSearch(t)
	s.Task.MakeQuick()
	noise := &s.Data.inputs[2]
	for i := range noise.values {
		noise.values[i] = 5
	}
	selection, err := s.Run(t.Context())
	require.NoError(t, err)
	require.Contains(t, strings.Join(selection.Report.Notes, "\n"), "feature 0 of noise has always the same value, 5")

	clear(noise.lengths)
	selection, err = s.Run(t.Context())
	require.NoError(t, err)
	require.Contains(t, strings.Join(selection.Report.Notes, "\n"), "noise is absent in every")
}

// TestJoin puts rows, and whether they are there, into one vector.
func TestJoin(t *testing.T) {
	m := []fusion.Modality{{Name: "a", Regions: 2, Features: 2}, {Name: "b", Regions: 1, Features: 1}}
	d, err := NewData(m, [][]float32{{1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9}, {10, 20, 30}}, [][]int64{{2, 1, 0}, {1, 0, 0}})
	require.NoError(t, err)
	j, err := newJoiner(d, []int{0, 1})
	require.NoError(t, err)
	joined, err := j.join(d)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 0}, joined.inputs[0].lengths)
	require.Equal(t, []float32{
		1, 2, 1, 3, 4, 1, 10, 1,
		5, 6, 1, 3, 4, 0, 10, 0, // (1 + 3 + 5) / 3 and so on
		3, 4, 0, 3, 4, 0, 10, 0,
	}, joined.inputs[0].values)
}

// TestCheapest takes the cheapest within one standard error of the best.
func TestCheapest(t *testing.T) {
	row := func(mean, se float64, adds int64) Row {
		return Row{Kind: kindModel, Validation: Mean{mean, se, 3}, MultiplyAdds: adds}
	}
	require.Equal(t, 1, cheapest([]Row{row(0.9, 0.02, 900), row(0.885, 0, 100), row(0.87, 0, 10)}))
	require.Equal(t, 0, cheapest([]Row{row(0.9, 0.001, 900), row(0.885, 0.1, 100)}))
	best := row(1, 0, 1)
	best.Kind = kindSingle
	require.Equal(t, 1, cheapest([]Row{best, row(0.5, 0, 100)}), "a baseline is never chosen")
}

// TestCandidatesCombine every choice, and names them apart.
func TestCandidatesCombine(t *testing.T) {
	s := diary(t, 100, 1)
	task := DefaultTask()
	task.Widths, task.Layers, task.Pool, task.Baselines = []int{8, 12}, []int{1, 2}, []string{"mean", "attention"}, false
	all, err := task.candidates(s, numbers(0, 100))
	require.NoError(t, err)
	require.Len(t, all, 2*2+3*2*2*2)
	names := map[string]bool{}
	for _, c := range all {
		names[c.name] = true
		require.Equal(t, "identity", c.config.Align)
	}
	require.Len(t, names, len(all))
	require.Contains(t, names, "gate, width 8, pool mean")
	require.Contains(t, names, "self, width 12, layers 2, pool attention")
}
