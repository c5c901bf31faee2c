package daemon

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// groupedConfig sees the means of two seconds of one channel, two slices.
func groupedConfig(t *testing.T, file string) Config {
	features, err := encoder.ParseFeatures([]byte(`{"tick":"1s","modalities":{"move":{"encoder":"window","channels":["x"],
		"regions":2,"every":"1s","functions":["last"],"stale_after":"5s"}}}`))
	require.NoError(t, err)
	c := quiet(sensor.Config{
		Alias: "body", Type: sensor.Recorded, File: file, Time: []string{"t"}, Format: "seconds",
		Label: "activity", Group: "subject", Split: "part", Target: "weight", Where: map[string]string{"side": "R"},
	})
	c.Features = features
	return c
}

const groupedCSV = `t,x,activity,subject,part,weight,side
0,1,walk,anna,train,60.5,R
0,99,walk,anna,train,60.5,L
1,2,walk,anna,train,61,R
2,3,sit,anna,test,,R
0,10,sit,ben,val,80,R
1.5,11,sit,ben,val,80,R
0.25,4,walk,anna,,62,R
`

func writeGzip(t *testing.T, name, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	return name
}

func ints(t *testing.T, f *safetensors.File, name string) []int64 {
	v, err := f.Tensor(name).Int64s()
	require.NoError(t, err)
	return v
}

// TestFeatureTableOfGroups: every group begins with fresh windows, one that comes
// back has its number, and what rows are for stands beside them.
func TestFeatureTableOfGroups(t *testing.T) {
	file := writeGzip(t, filepath.Join(t.TempDir(), "x.csv.gz"), groupedCSV)
	c := groupedConfig(t, file)
	require.NoError(t, c.Check())
	table := tableFile(t, c, Environment{Notify: &notes{}}, nil)
	x, err := table.Tensor("move").Float32s()
	require.NoError(t, err)
	require.Equal(t, []float32{
		1, 0 /**/, 2, 1 /**/, 3, 2, // anna
		10, 0, // ben; the moment at 1 s has an empty newest slice and the age 1 s
		4, 0, // anna again
	}, x)
	require.Equal(t, []int64{1, 2, 2, 1, 1}, ints(t, table, "move.length"))
	require.Equal(t, []int64{0, 0, 0, 1, 0}, ints(t, table, "group"))
	require.Equal(t, []int64{0, 0, 2, 1, -1}, ints(t, table, "split"))
	require.Equal(t, []int64{1, 1, 0, 0, 1}, ints(t, table, "label"))
	require.Equal(t, []int64{0, 1e9, 2e9, 0, 25e7}, ints(t, table, "time_ns"))
	target, err := table.Tensor("target").Float32s()
	require.NoError(t, err)
	require.True(t, math.IsNaN(float64(target[2])))
	target[2] = 0
	require.Equal(t, []float32{60.5, 61, 0, 80, 62}, target)
	for key, want := range map[string]string{
		"groups": `["anna","ben"]`, "splits": `["train","validation","test"]`, "labels": `["sit","walk"]`,
	} {
		require.Equal(t, want, table.Metadata[key])
	}
	_, err = New(c, Environment{Notify: &notes{}})
	require.ErrorContains(t, err, "group: only ragedge features")
}

// TestFeatureTableNamesFiles: without a column of groups each file is one.
func TestFeatureTableNamesFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	for _, name := range []string{a, b} {
		require.NoError(t, os.WriteFile(name, []byte("t,x\n0,1\n1,2\n"), 0o600))
	}
	c := groupedConfig(t, "")
	s := &c.Sensors[0]
	s.Label, s.Group, s.Split, s.Target, s.Where = "", "", "", "", nil
	table := tableFile(t, c, Environment{Notify: &notes{}}, []string{a, b, a})
	require.Equal(t, []int64{0, 0, 1, 1, 2, 2}, ints(t, table, "group"))
	var names []string
	require.NoError(t, json.Unmarshal([]byte(table.Metadata["groups"]), &names))
	require.Equal(t, []string{a, b, a}, names)
	require.Nil(t, table.Tensor("split"))
	require.Nil(t, table.Tensor("target"))
}

func TestFeatureTableRefusesRows(t *testing.T) {
	for want, rows := range map[string]string{
		"x.csv:3: column t: time goes backwards":     "t,x,activity,subject,part,weight,side\n1,1,a,anna,,,R\n0,1,a,anna,,,R\n",
		`column part: "often" is not one of`:         "t,x,activity,subject,part,weight,side\n1,1,a,anna,often,,R\n",
		`column weight: "heavy" is not a number`:     "t,x,activity,subject,part,weight,side\n1,1,a,anna,,heavy,R\n",
		"no row is as where says":                    "t,x,activity,subject,part,weight,side\n1,1,a,anna,,,L\n",
		"column side: not in the header":             "t,x,activity,subject,part,weight\n1,1,a,anna,,\n",
		"column t: \"noon\" is no number of seconds": "t,x,activity,subject,part,weight,side\nnoon,1,a,anna,,,R\n",
	} {
		file := filepath.Join(t.TempDir(), "x.csv")
		require.NoError(t, os.WriteFile(file, []byte(rows), 0o600))
		_, err := FeatureTable(t.Context(), groupedConfig(t, file), Environment{Notify: &notes{}}, nil, t.TempDir())
		require.ErrorIs(t, err, ErrData)
		require.ErrorContains(t, err, want)
	}
	torn := writeGzip(t, filepath.Join(t.TempDir(), "y.csv.gz"), groupedCSV)
	data, err := os.ReadFile(torn)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(torn, data[:len(data)-20], 0o600))
	_, err = FeatureTable(t.Context(), groupedConfig(t, torn), Environment{Notify: &notes{}}, nil, t.TempDir())
	require.ErrorIs(t, err, ErrData)
}

// BenchmarkManyGroups is what a group costs.
func BenchmarkManyGroups(b *testing.B) {
	var text strings.Builder
	text.WriteString("t,x,activity,subject,part,weight,side\n")
	for g := range 1000 {
		for i := range 10 {
			fmt.Fprintf(&text, "%d,%d,a,s%d,train,1,R\n", i, i, g)
		}
	}
	file := filepath.Join(b.TempDir(), "x.csv")
	require.NoError(b, os.WriteFile(file, []byte(text.String()), 0o600))
	features, err := encoder.ParseFeatures([]byte(`{"tick":"1s","modalities":{"move":{"encoder":"window","channels":["x"],"regions":2,"every":"1s","functions":["last"]}}}`))
	require.NoError(b, err)
	c := quiet(sensor.Config{Alias: "body", Type: sensor.Recorded, File: file, Time: []string{"t"}, Format: "seconds",
		Channels: map[string]string{"x": "x"}, Group: "subject"})
	c.Features = features
	for b.Loop() {
		table, err := FeatureTable(b.Context(), c, Environment{Notify: &notes{}}, nil, b.TempDir())
		require.NoError(b, err)
		require.NoError(b, table.Close())
	}
}

// Numbers in the names of CSV files do not make them files of one run.
func TestSameRun(t *testing.T) {
	for files, want := range map[string]int{
		"20260501T120000Z-0001.mcap 20260501T120000Z-0002.mcap 20260502T120000Z-0001.mcap": 2,
		"subject-01.csv.gz subject-02.csv.gz":                                              1,
		"20260501T120000Z-0002.mcap 20260501T120000Z-0001.mcap":                            1,
		"a.csv": 1,
	} {
		require.Equal(t, want, sameRun(strings.Fields(files)), files)
	}
}
