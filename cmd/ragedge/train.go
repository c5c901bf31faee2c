package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/bench"
	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/train"
	"github.com/spf13/cobra"
)

const trainHelp = `Trains models on labelled recordings, compares them, and writes the one to use.

TASK is a configuration of the daemon with a table [train], in which every key may
be left out. The recordings are MCAP files of this daemon, CSV files that the
[[sensor]] blocks of type replay describe, or one table that "ragedge features" wrote.

Every strategy is trained with several seeds on the same examples and scored on
others. The cheapest model within one standard error of the best is kept; its answers
are then made as sure as they are right. Written to --out, all or nothing:

  NAME.safetensors  the model, for "ragedge deploy" and agent.model
  report.html       what was compared and how good the model is, with a sensor missing too
  report.json       the same for programs

Ctrl-C, and the end of the budget, keep the best model so far.

With --adapt a model goes on learning from new recordings: only its gate and head
change, and examples that are kept apart decide between the old and the new one. Exit
code 1: the new one is no better, and nothing is changed.`

func newTrain() *cobra.Command {
	var t training
	c := &cobra.Command{
		Use:   "train TASK [DATA...]",
		Short: "Train and compare models on labelled recordings",
		Long:  trainHelp,
		Example: "  ragedge train room.toml '/var/lib/ragedge/recordings/*.mcap' --out room\n" +
			"  ragedge train room.toml --quick\n" +
			"  ragedge train ragedge.toml '/var/lib/ragedge/recordings/*.mcap' --adapt /var/lib/ragedge/models/room.safetensors --deploy",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("%s wants a task file; see %s --help", c.CommandPath(), c.CommandPath())}
			}
			t.files = args[1:]
			t.file, t.out, t.progress = args[0], c.OutOrStdout(), trainProgress{w: c.ErrOrStderr(), terminal: terminal(c.ErrOrStderr())}
			t.seedsGiven = c.Flags().Changed("seeds")
			return t.run(c.Context())
		},
	}
	c.Flags().StringVar(&t.data, "data", "", "`DIRECTORY` of the files that train.data and train.test name (default: that of TASK)")
	c.Flags().StringVar(&t.directory, "out", "", "`DIRECTORY` to write to (default: TASK without .toml; with --adapt where MODEL is)")
	c.Flags().BoolVar(&t.quick, "quick", false, "one strategy, one seed: a first model in seconds")
	c.Flags().IntVar(&t.seeds, "seeds", 0, "how many seeds, instead of train.seeds")
	c.Flags().StringVar(&t.adapt, "adapt", "", "fine-tune gate and head of this `MODEL` instead; it stays as it is unless that makes it better")
	c.Flags().BoolVar(&t.deploy, "deploy", false, "with --adapt: put the better model into force as \"ragedge deploy\" does")
	c.Flags().IntVar(&t.threads, "threads", runtime.GOMAXPROCS(0), "how many trainings at a time; the result is the same")
	return c
}

// training is one run of the train command.
type training struct {
	file, data, directory string
	files                 []string // instead of train.data
	adapt                 string
	deploy                bool
	quick, seedsGiven     bool
	seeds, threads        int
	out                   io.Writer
	progress              trainProgress
}

func (t *training) run(ctx context.Context) error {
	if t.threads < 1 {
		return usageError{fmt.Errorf("--threads %d: want at least 1", t.threads)}
	}
	if t.deploy && t.adapt == "" {
		return usageError{errors.New("--deploy goes with --adapt; else look at the report first, then: ragedge deploy MODEL")}
	}
	config, task, err := readTask(t.file)
	if err != nil {
		return err
	}
	if t.seedsGiven {
		task.Seeds = t.seeds
		if err := task.Check(); err != nil {
			return usageError{fmt.Errorf("--seeds: %w", err)}
		}
	}
	if t.quick {
		task.MakeQuick()
	}
	if t.data == "" {
		t.data = filepath.Dir(t.file)
	}
	files := t.files
	if len(files) == 0 {
		files = under(t.data, task.Data)
	}
	if t.adapt != "" {
		return t.adaptModel(ctx, config, task, files)
	}
	if t.directory == "" {
		t.directory = strings.TrimSuffix(t.file, ".toml")
	}
	search := train.Search{
		Task: task, Threads: t.threads, Version: thisBuild().Version, Now: time.Now(),
		Cost: bench.Flops, Progress: t.progress.show,
	}
	if search.Data, err = readFiles(ctx, t.progress.w, config, files); err != nil {
		return err
	}
	defer search.Data.Close()
	known := search.Data.Labels
	if unknown := search.Data.Rename(task.Labels); len(unknown) > 0 { // misspelt, most likely
		return fmt.Errorf("%s: %w: train.labels: %s has no label %q, but %q", t.file, train.ErrTask, search.Data.Name, unknown[0], known)
	}
	if len(task.Test) > 0 {
		if search.Test, err = readSet(ctx, t.progress.w, config, under(t.data, task.Test), task.Labels); err != nil {
			return fmt.Errorf("test: %w", err)
		}
		defer search.Test.Close()
	}
	fmt.Fprintf(t.progress.w, "%d examples of %s\n", search.Data.Len(), search.Data.Name)
	if err := train.CheckDirectory(t.directory); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	selection, err := search.Run(ctx)
	t.progress.clear()
	if err != nil {
		return err
	}
	outputs, err := selection.Files()
	if err != nil {
		return err
	}
	if err := train.WriteAll(t.directory, outputs); err != nil {
		return err
	}
	selection.Report.Print(t.out)
	fmt.Fprintf(t.out, "\nwritten to %s: %s\n", t.directory, outputs[0].Name)
	fmt.Fprintf(t.out, "look at %s, then: ragedge deploy %s\n", filepath.Join(t.directory, "report.html"), filepath.Join(t.directory, outputs[0].Name))
	return nil
}

// readTask reads a task file: the configuration of the daemon, without a model unless
// the features are in it, and the table [train].
func readTask(file string) (daemon.Config, train.Task, error) {
	config, err := daemon.LoadConfig(file, daemon.DropIns(file))
	if err != nil {
		return config, train.Task{}, err
	}
	text, err := daemon.ConfigText(file)
	if err != nil {
		return config, train.Task{}, err
	}
	task, err := train.ReadTask(text)
	if err != nil {
		return config, task, fmt.Errorf("%s: %w", file, err)
	}
	if task.Name == "" {
		task.Name = strings.TrimSuffix(filepath.Base(file), ".toml")
	}
	if i := slices.IndexFunc(task.Test, func(name string) bool { return slices.Contains(task.Data, name) }); i >= 0 {
		return config, task, fmt.Errorf("%s: %w: train.test: %s is in train.data as well", file, train.ErrTask, task.Test[i])
	}
	if len(config.Features.Modalities) > 0 {
		config.Agent.Model = "" // it may be the one that is to be replaced
	}
	config.Agent.Trigger = daemon.TriggerTick
	return config, task, nil
}
