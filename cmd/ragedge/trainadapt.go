package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/ragedge/ragedge/train"
)

// adaptModel lets gate and head of a model go on learning. The new model takes the place
// of the old file, which stays as NAME.previous, or that of the daemon's model.
func (t *training) adaptModel(ctx context.Context, config daemon.Config, task train.Task, files []string) error {
	data, err := safetensors.ReadBytes(t.adapt)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	old, digest, err := train.ReadModel(data)
	if err != nil {
		return fmt.Errorf("model %s: %w", t.adapt, err)
	}
	seen := config
	if seen.Agent.Model, err = filepath.Abs(t.adapt); err != nil {
		return err
	}
	set, err := readSet(ctx, t.progress.w, seen, files, task.Labels)
	if err != nil {
		return err
	}
	defer set.Close()
	fmt.Fprintf(t.progress.w, "%d examples of %s\n", set.Len(), set.Name)
	dir := cmp.Or(t.directory, filepath.Dir(t.adapt))
	if !t.deploy {
		if err := train.CheckDirectory(dir); err != nil {
			return fmt.Errorf("%s is unchanged: %w", t.adapt, err)
		}
	}
	a, err := task.Adapt(ctx, old, digest, set, thisBuild().Version, time.Now())
	if a != nil {
		for _, note := range a.Split.Notes {
			fmt.Fprintln(t.out, "note: "+note)
		}
	}
	if err != nil {
		return fmt.Errorf("%s is unchanged: %w", t.adapt, err)
	}
	fmt.Fprintln(t.out, a)
	model, err := a.Parameters.Bytes()
	if err != nil {
		return err
	}
	if _, err := fusion.Parse(model); err != nil {
		return err
	}
	if t.deploy {
		return t.deployAdapted(ctx, model)
	}
	name := filepath.Base(t.adapt)
	outputs := []train.Output{{Name: name, Data: model}}
	if t.directory == "" {
		outputs = append([]train.Output{{Name: name + ".previous", Data: data}}, outputs...)
	}
	if err := train.WriteAll(dir, outputs); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "written: %s\n", filepath.Join(dir, name))
	return nil
}

// deployAdapted puts a model into force as ragedge deploy does.
func (t *training) deployAdapted(ctx context.Context, model []byte) error {
	dir, err := os.MkdirTemp("", "ragedge-train-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, filepath.Base(t.adapt))
	if err := os.WriteFile(file, model, 0o600); err != nil {
		return err
	}
	// As the daemon reads it: with its model.
	files := configFiles{file: t.file}
	config, err := daemon.LoadConfig(files.file, files.directory())
	if err != nil {
		return err
	}
	if err := config.Check(); err != nil {
		return err
	}
	d := deployment{files: files, config: config, out: t.out}
	return d.run(ctx, file)
}
