package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/train"
)

// task is one table of results.
type task struct {
	name    string
	file    string // the task file
	against string // the label that is compared with all others, if any
	short   bool   // part of the short run
	// folds writes the data of every fold below a directory, and returns where. The task
	// file names the files in there.
	folds func(r *runner, directory string) ([]string, error)
	// tests names tables to test on by the parts that they measure; empty: the test part
	// of the fold.
	tests []string
	goals []goal
}

// measure trains and tests every fold with every seed.
func (t *task) measure(ctx context.Context, r *runner, directory string) (*result, error) {
	begin := time.Now()
	resetPeak()
	folds, err := t.folds(r, directory)
	if err != nil {
		return nil, err
	}
	seeds := r.seeds
	if r.smoke {
		folds, seeds = folds[:1], 1
	}
	res := newResult(t.name, seeds)
	for k, fold := range folds {
		f, err := t.open(ctx, r, fold)
		if err != nil {
			return nil, err
		}
		if len(f.search.Task.Strategies) > 1 {
			if err := f.choose(ctx, res); err != nil {
				return nil, errors.Join(err, f.close())
			}
		}
		if err := f.measure(ctx, t, seeds, res); err != nil {
			return nil, errors.Join(err, f.close())
		}
		fmt.Fprintf(os.Stderr, "%s: %d of %d folds, %v\n", t.name, k+1, len(folds), time.Since(begin).Round(time.Second))
		if err := f.close(); err != nil {
			return nil, err
		}
	}
	res.took = time.Since(begin)
	return res, nil
}

// fold is the data of one fold.
type fold struct {
	directory string
	search    train.Search
	tests     map[string]*train.Set
}

func (t *task) open(ctx context.Context, r *runner, directory string) (*fold, error) {
	config, err := daemon.LoadConfig(t.file, "")
	if err != nil {
		return nil, err
	}
	text, err := daemon.ConfigText(t.file)
	if err != nil {
		return nil, err
	}
	f := &fold{directory: directory, tests: map[string]*train.Set{}}
	f.search = train.Search{Threads: 2, Now: time.Now()}
	if f.search.Task, err = train.ReadTask(text); err != nil {
		return nil, fmt.Errorf("%s: %w", t.file, err)
	}
	f.search.Task.Name, _, _ = strings.Cut(t.name, "-")
	config.Agent.Trigger = daemon.TriggerTick
	read := func(names []string) (*train.Set, error) {
		var files []string
		for _, name := range names {
			files = append(files, filepath.Join(directory, name))
		}
		return readSet(ctx, config, files, f.search.Task.Labels)
	}
	if f.search.Data, err = read(f.search.Task.Data); err != nil {
		return nil, err
	}
	if len(f.search.Task.Test) > 0 {
		if f.search.Test, err = read(f.search.Task.Test); err != nil {
			return nil, err
		}
	}
	for _, name := range t.tests {
		if f.tests[name], err = read([]string{name + ".safetensors"}); err != nil {
			return nil, err
		}
	}
	if r.smoke {
		f.search.Task.Epochs = min(f.search.Task.Epochs, 10)
	}
	return f, nil
}

// readSet reads what a model sees in recordings, or the table of it.
func readSet(ctx context.Context, config daemon.Config, files []string, labels map[string]string) (*train.Set, error) {
	if strings.HasSuffix(files[0], ".safetensors") {
		return train.OpenSet(files[0])
	}
	table, err := daemon.FeatureTable(ctx, config, daemon.Environment{}, files, "")
	if err != nil {
		return nil, err
	}
	set, err := train.ReadSet(table, strings.Join(files, ", "))
	if err != nil {
		return nil, err
	}
	if unknown := set.Rename(labels); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: train.labels: there is no label %q", set.Name, unknown)
	}
	return set, nil
}

// choose chooses a candidate with a quarter of the training, on the validation, and makes
// the task be of that one.
func (f *fold) choose(ctx context.Context, res *result) error {
	s, task := f.search, &f.search.Task
	s.Task.Seeds, s.Task.Baselines, s.Task.Refit, s.Task.Epochs = 1, false, false, max(1, task.Epochs/4)
	chosen, err := s.Run(ctx)
	if err != nil {
		return err
	}
	c := chosen.Parameters.Config
	task.Strategies, task.Widths, task.Layers = []string{c.Strategy}, []int{c.Width}, []int{max(c.Layers, 1)}
	task.Align, task.Gate, task.Pool, task.Norm = []string{c.Align}, []string{c.Gate}, []string{c.Pool}, []bool{c.Norm}
	for _, row := range chosen.Report.Table {
		res.candidate(fmt.Sprintf("%s %s", row.Name, row.Validation))
	}
	return nil
}

// measure trains with every seed, two at a time, and adds up what the test says.
func (f *fold) measure(ctx context.Context, t *task, seeds int, res *result) error {
	chosen, failed := make([]*train.Selection, seeds), make([]error, seeds)
	var group sync.WaitGroup
	free := make(chan struct{}, f.search.Threads)
	for seed := range seeds {
		group.Go(func() {
			free <- struct{}{}
			chosen[seed], failed[seed] = f.train(ctx, seed)
			<-free
		})
	}
	group.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for seed, c := range chosen {
		res.count(seed, "validation", &c.Report.Validation.Scores)
		if err := f.test(ctx, t, seed, c, res); err != nil {
			return err
		}
	}
	return nil
}

func (f *fold) train(ctx context.Context, seed int) (*train.Selection, error) {
	s := f.search
	s.Task.Seeds, s.Task.Seed, s.Task.Baselines, s.Threads = 1, f.search.Task.Seed+uint64(seed), false, 1
	chosen, err := s.Run(ctx)
	if err != nil {
		return nil, err
	}
	if chosen.Report.Interrupted != "" {
		return nil, errors.New(chosen.Report.Interrupted)
	}
	files, err := chosen.Files()
	if err != nil {
		return nil, err
	}
	return chosen, train.WriteAll(filepath.Join(f.directory, fmt.Sprintf("seed-%d", seed)), files)
}

func (f *fold) test(ctx context.Context, t *task, seed int, chosen *train.Selection, res *result) error {
	model, err := chosen.Parameters.Model()
	if err != nil {
		return err
	}
	set, examples := f.search.Data, chosen.Report.Split.Test
	if f.search.Test != nil {
		set, examples = f.search.Test, nil
	}
	sets, names := map[string]*train.Set{"": set}, []string{""}
	if len(t.tests) > 0 {
		sets, names, examples = f.tests, t.tests, nil
	}
	for _, name := range names {
		e, err := train.Evaluate(ctx, model, sets[name].Data, examples, t.against)
		if err != nil {
			return err
		}
		res.add(seed, name, e, t.against)
	}
	return nil
}

func (f *fold) close() error {
	err := f.search.Data.Close()
	if f.search.Test != nil {
		err = errors.Join(err, f.search.Test.Close())
	}
	for _, set := range f.tests {
		err = errors.Join(err, set.Close())
	}
	return err
}
