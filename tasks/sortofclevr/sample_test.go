package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// known is a scene of the project's sample, testdata/sample.json: made by another
// generator after the same rules.
type known struct {
	Objects []struct {
		Colour, Shape string
		X, Y          int
	}
	Questions [][3]int
	Answers   []int
	SHA256    string `json:"pixels_sha256"`
}

func sample(t *testing.T) (all []known) {
	text, err := os.ReadFile("testdata/sample.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &all))
	require.Len(t, all, 20)
	return all
}

func (k *known) scene(t *testing.T) (s scene) {
	for i, o := range k.Objects {
		require.Equal(t, colours[i], o.Colour)
		s[i] = object{o.X, o.Y, o.Shape == "circle"}
	}
	return s
}

func TestAnswersOfTheSample(t *testing.T) {
	kinds := map[[2]int]int{}
	for i, k := range sample(t) {
		s := k.scene(t)
		for j, q := range k.Questions {
			require.Equal(t, k.Answers[j], s.answer(question{q[0], q[1] == 1, q[2]}), "scene %d, question %d", i, j)
			kinds[[2]int{q[1], q[2]}]++
		}
	}
	require.Len(t, kinds, 6, "every kind of question is in the sample")
}

func TestPicturesOfTheSample(t *testing.T) {
	file, err := os.Open("testdata/sample-pixels.rgb.gz")
	require.NoError(t, err)
	defer file.Close()
	pixels, err := gzip.NewReader(file)
	require.NoError(t, err)
	for i, k := range sample(t) {
		s := k.scene(t)
		var rgb []byte
		for p := s.picture().Pix; len(p) > 0; p = p[4:] {
			rgb = append(rgb, p[:3]...)
		}
		want := make([]byte, side*side*3)
		_, err := io.ReadFull(pixels, want)
		require.NoError(t, err)
		require.Equal(t, want, rgb, "scene %d", i)
		digest := sha256.Sum256(rgb)
		require.Equal(t, k.SHA256, hex.EncodeToString(digest[:]))
	}
}

// Ties go to the first colour, and the object itself is neither closest nor
// farthest.
func TestTies(t *testing.T) {
	s := scene{{30, 30, true}, {40, 30, false}, {20, 30, true}, {30, 60, false}, {60, 30, true}, {10, 10, true}}
	require.Equal(t, 1, s.extreme(0, -1))
	require.Equal(t, 3, s.extreme(0, 1))
	require.Equal(t, rectangle, s.answer(question{0, true, 0}))
	require.Equal(t, one+3, s.answer(question{0, true, 2}))
}

func TestScenesKeepTheRules(t *testing.T) {
	r := source(3)
	seen := map[int]bool{}
	for range 2000 {
		s := draw(r)
		for i, o := range s {
			require.True(t, o.x >= 5 && o.x < 70 && o.y >= 5 && o.y < 70)
			require.True(t, apart(o, s[:i]))
			seen[o.x], seen[-o.y] = true, true
		}
		all := ask(r)
		require.False(t, all[asked-1].relational)
		require.True(t, all[asked].relational)
	}
	require.Len(t, seen, 2*65, "the whole range is used")
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, write(dir, 20, 10, 2, 1))
	labels := map[string][]int64{}
	for name, n := range map[string]int{"train": 400, "relational": 100, "plain": 100} {
		f, err := safetensors.ReadFile(filepath.Join(dir, name+".safetensors"))
		require.NoError(t, err)
		require.Equal(t, []int{n, 6, 10}, f.Tensor("state").Shape)
		require.Equal(t, []int{n, 1, 11}, f.Tensor("question").Shape)
		labels[name], err = f.Tensor("label").Int64s()
		require.NoError(t, err)
		split, err := f.Tensor("split").Int64s()
		require.NoError(t, err)
		if name == "train" {
			require.Equal(t, []int64{trainSplit, validationSplit}, slices.Compact(slices.Sorted(slices.Values(split))))
		}
	}
	require.NotEqual(t, labels["train"][:10], labels["plain"][:10], "the test scenes are others")
	require.FileExists(t, filepath.Join(dir, "scene-1.png"))
	again := t.TempDir()
	require.NoError(t, write(again, 20, 10, 0, 1))
	a, err := os.ReadFile(filepath.Join(dir, "train.safetensors"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(again, "train.safetensors"))
	require.NoError(t, err)
	require.Equal(t, a, b, "the same seed makes the same file")
}
