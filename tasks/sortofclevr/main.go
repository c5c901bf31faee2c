// Command sortofclevr generates the Sort-of-CLEVR task: questions about pictures
// with six objects, after A. Santoro et al., A simple neural network module for
// relational reasoning, 2017. The pictures are given as descriptions of their
// objects. It writes three files into a folder, in the form of ragedge features:
//
//	train.safetensors                       questions of both kinds
//	relational.safetensors, plain.safetensors    to test on, by the kind
//
// The test scenes come from another seed. With -pictures N the first N training
// scenes are drawn as PNG files too.
package main

import (
	"flag"
	"fmt"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Splits of the training file.
const (
	trainSplit = iota
	validationSplit
	testSplit
)

// validationEvery is how often a training scene serves to choose models by.
const validationEvery = 10

func main() {
	out := flag.String("o", ".", "folder to write to")
	scenes := flag.Int("scenes", 9800, "number of pictures to train on")
	tests := flag.Int("tests", 1000, "number of pictures to test on")
	pictures := flag.Int("pictures", 0, "number of training scenes to draw")
	seed := flag.Uint64("seed", 1, "of the training scenes; the test scenes have the next one")
	flag.Parse()
	if err := write(*out, *scenes, *tests, *pictures, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "sortofclevr:", err)
		os.Exit(1)
	}
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// write makes all files.
func write(folder string, scenes, tests, pictures int, seed uint64) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	any := func(question) bool { return true }
	relational := func(q question) bool { return q.relational }
	plain := func(q question) bool { return !q.relational }
	train, r := table{}, source(seed)
	for i := range int64(scenes) {
		split := int64(trainSplit)
		if i%validationEvery == validationEvery-1 {
			split = validationSplit
		}
		train.add(r, i, split, any)
	}
	if err := train.write(folder, "train"); err != nil {
		return err
	}
	for name, keep := range map[string]func(question) bool{"relational": relational, "plain": plain} {
		test, r := table{}, source(seed+1)
		for i := range int64(tests) {
			test.add(r, int64(scenes)+i, testSplit, keep)
		}
		if err := test.write(folder, name); err != nil {
			return err
		}
	}
	return drawFirst(folder, pictures, seed)
}

func (t *table) write(folder, name string) error {
	f, err := t.file()
	if err != nil {
		return err
	}
	return f.WriteFile(filepath.Join(folder, name+".safetensors"), 0o644)
}

// drawFirst draws the first scenes of a seed.
func drawFirst(folder string, n int, seed uint64) error {
	r := source(seed)
	for i := range n {
		s := draw(r)
		ask(r)
		file, err := os.Create(filepath.Join(folder, fmt.Sprintf("scene-%d.png", i)))
		if err != nil {
			return err
		}
		if err := png.Encode(file, s.picture()); err != nil {
			file.Close()
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
