package train

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

const room = "../cmd/ragedge/room/"

// roomFile writes the recording of the demo as features: at every sample the last eight
// samples are the regions. It returns where, and the config of the demo's model.
func roomFile(t testing.TB) (path string, config fusion.Config) {
	file, err := os.Open(room + "room-demo.csv")
	require.NoError(t, err)
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	columns := map[string][]string{
		"climate": {"S1_Temp", "S2_Temp", "S3_Temp", "S4_Temp"}, "light": {"S1_Light", "S2_Light", "S3_Light", "S4_Light"},
		"sound": {"S1_Sound", "S2_Sound", "S3_Sound", "S4_Sound"}, "co2": {"S5_CO2", "S5_CO2_Slope"}, "motion": {"S6_PIR", "S7_PIR"},
	}
	head, lines := lines[0], lines[1:]
	number := func(i int, column string) float64 {
		v, err := strconv.ParseFloat(lines[i][slices.Index(head, column)], 32)
		require.NoError(t, err)
		return v
	}
	model, err := fusion.Load(room + "room.safetensors")
	require.NoError(t, err)
	n := len(lines)
	out := &safetensors.File{Metadata: map[string]string{"labels": `["empty","1 person","2 people","3 people"]`, "features": model.Features}}
	for _, m := range model.Config.Modalities {
		values, lengths := make([]float32, n*m.Regions*m.Features), make([]int64, n)
		for i := range n {
			first := max(0, i-m.Regions+1)
			lengths[i] = int64(i - first + 1)
			for r := first; r <= i; r++ {
				for k, column := range columns[m.Name] {
					values[(i*m.Regions+r-first)*m.Features+k] = float32(number(r, column))
				}
			}
		}
		out.Tensors = append(out.Tensors, safetensors.NewFloat32(m.Name, values, n, m.Regions, m.Features),
			safetensors.NewInt64(m.Name+".length", lengths, n))
	}
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(number(i, "Room_Occupancy_Count"))
	}
	out.Tensors = append(out.Tensors, safetensors.NewInt64("label", labels, n))
	path = filepath.Join(t.TempDir(), "room.safetensors")
	require.NoError(t, out.WriteFile(path, 0o600))
	return path, model.Config
}

// TestRoom trains on the recording of the demo, from a file of features to a model that
// the engine loads, with the file in memory and read by the example.
func TestRoom(t *testing.T) {
	path, config := roomFile(t)
	var models [][]byte
	for _, size := range []int64{0, inMemory} {
		was := inMemory
		inMemory = size
		data, err := Open(path)
		inMemory = was
		require.NoError(t, err)
		defer data.Close()
		require.Equal(t, size == 0, data.inputs[0].values == nil)

		o := DefaultOptions()
		for i := range data.Len() { // of every four blocks of ten minutes, the last one is for validation
			if i/20%4 == 3 {
				o.Validation = append(o.Validation, i)
			} else {
				o.Train = append(o.Train, i)
			}
		}
		o.ModalityDropout, o.Threads = 0.2, 2
		if testing.Short() {
			o.Epochs = 8
		}
		r, err := Fit(t.Context(), config, data, o)
		require.NoError(t, err)
		best := r.Curve[r.Best-1]
		t.Logf("%d of %d examples; %d weights, %d steps, %.2f s; best epoch %d: train loss %.3f, validation loss %.3f, score %.3f",
			r.Train, data.Len(), r.Parameters.Count(), r.Steps, r.Seconds, r.Best, best.TrainLoss, best.ValidationLoss, best.Score)
		require.Greater(t, best.Score, 0.9)
		bytes, err := r.Parameters.Bytes()
		require.NoError(t, err)
		models = append(models, bytes)
		model, err := fusion.Parse(bytes)
		require.NoError(t, err)
		require.Equal(t, data.Features, model.Features)
		if size > 0 {
			require.Greater(t, rightOf(t, r.Parameters, data, o.Validation), 0.9)
		}
	}
	require.Equal(t, models[0], models[1])
}
