package train

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// features is a file of two modalities with everything that it may have.
func features() *safetensors.File {
	values := make([]float32, 3*2*2)
	for i := range values {
		values[i] = float32(i)
	}
	values[3] = float32(math.NaN()) // in a row that does not count
	return &safetensors.File{
		Metadata: map[string]string{"labels": `["no","yes"]`, "features": `{"tick":"1s"}`},
		Tensors: []safetensors.Tensor{
			safetensors.NewFloat32("b", values, 3, 2, 2),
			safetensors.NewInt64("b.length", []int64{1, 2, 0}, 3),
			safetensors.NewFloat32("a", []float32{7, 8, 9}, 3, 1, 1),
			safetensors.NewInt64("label", []int64{1, -1, 0}, 3),
			safetensors.NewInt64("group", []int64{0, 0, 4}, 3),
			safetensors.NewInt64("split", []int64{0, 1, 2}, 3),
			safetensors.NewInt64("time_ns", []int64{10, 20, 30}, 3),
			safetensors.NewFloat32("target", []float32{1, 2, 3, 4, 5, 6}, 3, 2),
			{Name: "other", DType: safetensors.U8, Shape: []int{1}, Data: []byte{1}},
		},
	}
}

func write(t testing.TB, f *safetensors.File) string {
	path := filepath.Join(t.TempDir(), "data.safetensors")
	require.NoError(t, f.WriteFile(path, 0o600))
	return path
}

// open opens a file as one that is too large for memory, or one that is not.
func open(path string, large bool) (*Data, error) {
	was := inMemory
	defer func() { inMemory = was }()
	if large {
		inMemory = 0
	}
	return Open(path)
}

func TestOpen(t *testing.T) {
	path := write(t, features())
	for _, large := range []bool{false, true} {
		d, err := open(path, large)
		require.NoError(t, err)
		require.Equal(t, 3, d.Len())
		require.Equal(t, []fusion.Modality{{Name: "b", Regions: 2, Features: 2}, {Name: "a", Regions: 1, Features: 1}}, d.Modalities)
		require.Equal(t, []string{"no", "yes"}, d.Labels)
		require.Equal(t, `{"tick":"1s"}`, d.Features)
		require.Equal(t, []int64{1, Unlabelled, 0}, d.Label)
		require.Equal(t, []int64{0, 0, 4}, d.Group)
		require.Equal(t, []int64{0, 1, 2}, d.Split)
		require.Equal(t, []int64{10, 20, 30}, d.Time)
		require.Equal(t, []float32{1, 2, 3, 4, 5, 6}, d.Target)
		require.Equal(t, 2, d.Targets)
		room := make([]float32, 4)
		for example, want := range [][]float32{{0, 1}, {4, 5, 6, 7}, {}} {
			r, err := d.Regions(example, 0, room)
			require.NoError(t, err)
			require.Equal(t, want, append([]float32{}, r.Data...))
			require.Equal(t, fusion.Regions{Rows: len(want) / 2, Features: 2, Data: r.Data}, r)
			require.Equal(t, r.Rows, d.Rows(example, 0))
		}
		r, err := d.Regions(2, 1, room)
		require.NoError(t, err)
		require.Equal(t, []float32{9}, r.Data)
		require.NoError(t, d.Close())
		if large {
			_, err = d.Regions(1, 0, room)
			require.ErrorContains(t, err, "b of example 1")
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "nothing"))
	require.ErrorIs(t, err, os.ErrNotExist)
	for name, change := range map[string]func(f *safetensors.File) []string{
		"no modality": func(f *safetensors.File) []string { f.Tensors = f.Tensors[3:]; return []string{"no modality"} },
		"length": func(f *safetensors.File) []string {
			*f.Tensor("b.length") = safetensors.NewInt64("b.length", []int64{1, 3, 0}, 3)
			return []string{"b has 3 rows in example 1"}
		},
		"length type": func(f *safetensors.File) []string {
			*f.Tensor("b.length") = safetensors.NewFloat32("b.length", []float32{1, 3, 0}, 3)
			return []string{"b.length is F32"}
		},
		"examples": func(f *safetensors.File) []string {
			*f.Tensor("a") = safetensors.NewFloat32("a", []float32{7, 8}, 2, 1, 1)
			return []string{"b has 3 and", "a has 2"}[1:]
		},
		"label": func(f *safetensors.File) []string {
			*f.Tensor("label") = safetensors.NewInt64("label", []int64{0, 2, 0}, 3)
			return []string{"label of example 1 is 2"}
		},
		"label without a name": func(f *safetensors.File) []string {
			delete(f.Metadata, "labels")
			*f.Tensor("label") = safetensors.NewInt64("label", []int64{0, 1 << 40, 0}, 3)
			return []string{"label of example 1 is 1099511627776", "65535 at most"}
		},
		"labels": func(f *safetensors.File) []string { f.Metadata["labels"] = "no"; return []string{"list of names"} },
		"group": func(f *safetensors.File) []string {
			*f.Tensor("group") = safetensors.NewInt64("group", []int64{0}, 1)
			return []string{"group is I64 [1], want I64 [3]"}
		},
		"target": func(f *safetensors.File) []string {
			*f.Tensor("target") = safetensors.NewFloat32("target", []float32{0}, 1)
			return []string{"target"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := features()
			words := change(f)
			path := write(t, f)
			_, err := Open(path)
			require.ErrorIs(t, err, ErrData)
			require.ErrorContains(t, err, path)
			for _, w := range words {
				require.ErrorContains(t, err, w)
			}
		})
	}
}

// TestOpenCut cuts a file everywhere; none of it may be taken for data.
func TestOpenCut(t *testing.T) {
	data, err := features().Bytes()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "cut")
	for n := range data {
		require.NoError(t, os.WriteFile(path, data[:n], 0o600))
		_, err := Open(path)
		require.ErrorIs(t, err, ErrData, "cut at %d", n)
	}
}

// TestOpenLarge reads an example of a file that is larger than safetensors are read as a
// whole, without the memory for it.
func TestOpenLarge(t *testing.T) {
	const examples, regions, width = 1 << 20, 64, 32 // 8 GiB, nearly all of it a hole
	size := int64(examples) * regions * width * 4
	header := fmt.Sprintf(`{"x":{"dtype":"F32","shape":[%d,%d,%d],"data_offsets":[0,%d]}}`, examples, regions, width, size)
	path := filepath.Join(t.TempDir(), "large")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	_, err = file.Write(append(start, header...))
	require.NoError(t, err)
	at := int64(8 + len(header))
	if err := file.Truncate(at + size); err != nil {
		t.Skip(err) // a file system without files of this size
	}
	_, err = file.WriteAt(binary.LittleEndian.AppendUint32(nil, math.Float32bits(2.5)), at+size-4)
	require.NoError(t, err)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := Open(path)
	require.NoError(t, err)
	defer d.Close()
	r, err := d.Regions(examples-1, 0, make([]float32, regions*width))
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Equal(t, float32(2.5), r.Data[regions*width-1])
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}
