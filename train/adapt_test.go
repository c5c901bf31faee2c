package train

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAdapt: a model whose head was spoilt learns the labels again, by gate and
// head alone; one that is good already is not replaced.
func TestAdapt(t *testing.T) {
	s := eitherSearch(t)
	s.Task.MakeQuick()
	s.Task.Strategies, s.Task.Epochs, s.Task.TestGroups = []string{"co"}, 25, nil
	selection, err := s.Run(t.Context())
	require.NoError(t, err)
	old := selection.Parameters
	task := s.Task
	task.LearningRate = 1
	now := time.Unix(1e9, 0)

	spoilt := old.clone()
	for _, name := range []string{"head.1.weight", "head.1.bias"} {
		for i := range spoilt.Tensor(name) {
			spoilt.Tensor(name)[i] *= 0.02
		}
	}
	spoilt.Tensor("head.1.bias")[0] += 0.5 // nearly always the first label
	before := spoilt.clone()
	a, err := task.Adapt(t.Context(), spoilt, "sha256:1", s.Data, "test", now)
	require.NoError(t, err)
	require.Equal(t, before.values, spoilt.values, "the old model is left alone")
	require.Less(t, a.Before.Accuracy, 0.6)
	require.Greater(t, a.After.Accuracy, 0.7)
	require.Contains(t, a.String(), "before")
	for _, tensor := range spoilt.tensors {
		trained := strings.HasPrefix(tensor.name, "gate.") || strings.HasPrefix(tensor.name, "head.")
		same := slices.Equal(spoilt.Tensor(tensor.name), a.Parameters.Tensor(tensor.name))
		require.Equal(t, !trained, same, tensor.name)
	}
	var card struct {
		Chosen  string
		Adapted Adaptation
	}
	require.NoError(t, json.Unmarshal([]byte(a.Parameters.Card), &card))
	require.Equal(t, "co", card.Chosen, "the old card is kept")
	require.Equal(t, "sha256:1", card.Adapted.From)

	task.LearningRate = 1e-30 // nothing moves
	_, err = task.Adapt(t.Context(), old, "sha256:1", s.Data, "test", now)
	require.ErrorIs(t, err, ErrWorse)
	require.ErrorContains(t, err, "as before")
	clear(s.Data.Label)
	_, err = task.Adapt(t.Context(), old, "sha256:1", s.Data, "test", now)
	require.ErrorIs(t, err, ErrData)
}

// TestAdaptationVerdict: lower is refused, and so is the same with no smaller loss.
func TestAdaptationVerdict(t *testing.T) {
	score := func(recall, loss float64) Scores {
		return Scores{Rows: 10, ClassScores: &ClassScores{Recall: recall, Loss: loss}}
	}
	for _, tc := range []struct {
		after  Scores
		better bool
	}{{score(0.9, 0.5), true}, {score(0.8, 0.4), true}, {score(0.8, 0.5), false}, {score(0.7, 0.1), false}} {
		err := (&Adaptation{Select: ByRecall, Before: score(0.8, 0.5), After: tc.after}).verdict()
		if tc.better {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrWorse)
		}
	}
}
