package fusion

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArena(t *testing.T) {
	lay := func(a *arena) [][]float32 {
		first := a.take(3)
		free := a.used
		second := a.take(2, 17)
		a.used = free
		return [][]float32{first, second, a.take(5), a.take(0), a.take(1, 1)}
	}
	var count arena
	for _, part := range lay(&count) {
		require.Nil(t, part)
	}
	require.EqualValues(t, line+3*line, count.most)
	parts := lay(&arena{values: make([]float32, count.most)})
	for i, n := range []int{3, 34, 5, 0, 1} {
		require.Len(t, parts[i], n)
		require.Equal(t, n, cap(parts[i]), "a part that could grow into the next")
	}
	parts[1][0] = 7
	require.EqualValues(t, 7, parts[2][0], "what is free again is taken again")
	parts[0][2] = 8
	require.EqualValues(t, 7, parts[2][0])

	count = arena{}
	count.take(math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt32)
	require.Greater(t, count.most, int64(maxWorkspace), "sizes that overflow must not look small")
}

// TestState holds that a State has one buffer of the size its config says, and
// no other that grows with the model.
func TestState(t *testing.T) {
	for i, c := range append(everyConfig(), blockConfigs...) {
		if testing.Short() && i%5 > 0 {
			continue
		}
		m := randomModel(t, 1, c, everything...)
		require.EqualValues(t, 4*c.workspace(), m.NewState().Bytes(), configName(c))
	}
	m := randomModel(t, 1, blockConfigs[1])
	size := m.NewState().Bytes()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := m.NewState()
	runtime.ReadMemStats(&after)
	require.InDelta(t, size, after.TotalAlloc-before.TotalAlloc, 16<<10)
	runtime.KeepAlive(s)
}

// TestTooLarge has a machine with little memory left.
func TestTooLarge(t *testing.T) {
	c := blockConfig(10, 1024, 1024) // 6·1024² weights
	data, err := modelFile(c, nil).Bytes()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	require.NoError(t, os.Truncate(path, large))

	before := meminfo
	t.Cleanup(func() { meminfo = before })
	meminfo = filepath.Join(t.TempDir(), "meminfo")
	for _, test := range []struct {
		text        string
		parse, load error
	}{
		{"MemTotal: 99999999 kB\nMemAvailable:   16000 kB\n", ErrTooLarge, ErrTooLarge},
		{"MemTotal: 1 kB\nMemAvailable:   20000 kB\n", ErrTooLarge, ErrBadFile},
		{"MemTotal: 1 kB\nMemAvailable:  900000 kB\n", ErrMissingTensor, ErrBadFile},
		{"MemTotal: 1 kB\n", ErrMissingTensor, ErrBadFile},
	} {
		require.NoError(t, os.WriteFile(meminfo, []byte(test.text), 0o600))
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		_, err := Parse(data)
		runtime.ReadMemStats(&end)
		require.ErrorIs(t, err, test.parse)
		require.ErrorIs(t, err, ErrModel)
		require.Less(t, end.TotalAlloc-start.TotalAlloc, uint64(1<<20), "nothing large is allocated before the error")
		_, err = Load(path)
		require.ErrorIs(t, err, test.load)
		require.ErrorIs(t, err, ErrModel)
	}
	require.NoError(t, os.Remove(meminfo))
	_, err = Parse(data)
	require.ErrorIs(t, err, ErrMissingTensor)
}
