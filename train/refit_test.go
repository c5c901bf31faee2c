package train

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// refitSearch is quick, and its model is trained once more.
func refitSearch(t *testing.T) *Search {
	s := eitherSearch(t)
	s.Task.MakeQuick()
	s.Task.Strategies, s.Task.Refit = []string{"co"}, true
	return s
}

// TestRefit: the last training is one on all examples but the test, for as many epochs as
// before, or as were best before it was stopped early. Nothing else of the choice changes.
func TestRefit(t *testing.T) {
	for name, patience := range map[string]int{"to the end": 0, "stopped early": 1} {
		t.Run(name, func(t *testing.T) {
			s := refitSearch(t)
			s.Task.Patience = patience
			after, err := s.Run(t.Context())
			require.NoError(t, err)
			s.Task.Refit = false
			before, err := s.Run(t.Context())
			require.NoError(t, err)

			r, epochs := after.Report, s.Task.Epochs
			if patience > 0 {
				epochs = r.Curves[0].Best
				require.Less(t, len(r.Curves[0].Epochs), s.Task.Epochs)
			}
			require.Equal(t, &Refit{Examples: 480, Epochs: epochs}, r.Refit)
			require.Contains(t, strings.Join(r.Notes, "\n"), "once more on all 480 examples")
			require.Equal(t, before.Report.Temperature, r.Temperature)
			require.Equal(t, before.Report.Validation.Scores, r.Validation.Scores)
			require.Nil(t, before.Report.Refit)

			o := s.Task.options(r.Seed, 480)
			o.Train, o.Epochs, o.Patience, o.Optional = numbers(0, 480), epochs, 0, []string{"position."}
			alone, err := Fit(t.Context(), after.Parameters.Config, s.Data.Data, o)
			require.NoError(t, err)
			alone.Parameters.cool(r.Temperature)
			require.Equal(t, alone.Parameters.values, after.Parameters.values)

			model, err := after.Parameters.Model()
			require.NoError(t, err)
			again, err := Evaluate(t.Context(), model, s.Data.Data, numbers(480, 600), "")
			require.NoError(t, err)
			require.Equal(t, again.Scores, r.Test.Scores, "the test is of the model after it")
			var card Report
			require.NoError(t, json.Unmarshal([]byte(model.Card), &card))
			require.Equal(t, r.Refit, card.Refit)
		})
	}
}

// TestRefitInterrupted keeps the model that was chosen, and says so.
func TestRefitInterrupted(t *testing.T) {
	s := refitSearch(t)
	s.Task.Refit = false
	before, err := s.Run(t.Context())
	require.NoError(t, err)

	s.Task.Refit = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Progress = func(p Progress) {
		if p.Candidate == "co once more" {
			cancel()
		}
	}
	after, err := s.Run(ctx)
	require.NoError(t, err)
	require.Nil(t, after.Report.Refit)
	require.Contains(t, strings.Join(after.Report.Notes, "\n"), "not trained once more with the validation: it was interrupted")
	require.Equal(t, before.Parameters.values, after.Parameters.values)
}
