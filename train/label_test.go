package train

import (
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

func labelled(t *testing.T, names []string, label ...int64) *Data {
	modalities := []fusion.Modality{{Name: "x", Regions: 1, Features: 1}}
	d, err := NewData(modalities, [][]float32{make([]float32, len(label))}, [][]int64{make([]int64, len(label))})
	require.NoError(t, err)
	d.Labels, d.Label = names, label
	return d
}

func TestClasses(t *testing.T) {
	for name, tc := range map[string]struct {
		names, model []string
		label, want  []int64
	}{
		"by name":              {[]string{"a", "b"}, []string{"b", "c", "a"}, []int64{0, 1, -1}, []int64{2, 0, -1}},
		"unused name":          {[]string{"a", "z"}, []string{"a"}, []int64{0, 0}, []int64{0, 0}},
		"no names":             {nil, []string{"b", "a"}, []int64{1, 0}, []int64{1, 0}},
		"numbers in the model": {[]string{"a", "b"}, nil, []int64{1, 0}, []int64{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := labelled(t, tc.names, tc.label...).Classes(tc.model)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	_, err := labelled(t, []string{"a", "z"}, 0, 1).Classes([]string{"a"})
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, `example 1 has the label "z"`)
	_, err = labelled(t, []string{"a"}, 0, 1).Classes([]string{"a"})
	require.ErrorContains(t, err, "example 1 is 1")
	d := labelled(t, nil, 0, 1)
	d.Label = d.Label[:1]
	_, err = d.Classes(nil)
	require.ErrorContains(t, err, "1 labels for 2 examples")
}

// TestFitByName trains on data whose labels are numbered in another order than those of
// the model.
func TestFitByName(t *testing.T) {
	d, c, o := either(t, 600), gateConfig(), eitherOptions()
	d.Labels = []string{"same", "other"}
	c.Head.Labels = []string{"other", "same"}
	r, err := Fit(t.Context(), c, d, o)
	require.NoError(t, err)
	require.Less(t, rightOf(t, r.Parameters, d, o.Validation), 0.05, "by number all are wrong")
	require.Greater(t, r.Curve[r.Best-1].Score, 0.97)
}

func TestBalancedWeights(t *testing.T) {
	classes := []int64{0, 0, 0, 1, Unlabelled, 1, 0, 0, 0, 0}
	require.Equal(t, []float64{5.0 / 6, 5.0 / 4, 1}, BalancedWeights(classes, []int{0, 1, 2, 3, 4, 5}, 3))
}
