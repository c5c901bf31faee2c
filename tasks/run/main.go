// Command run trains and tests the public tasks of this folder, each on the split that
// its publication or shared/data names, and prints what they reached beside the goals:
//
//	go run ./tasks/run [-data DIR] [-seeds 3] [-smoke] [-out DIR] [TASK...]
//
// Task files are those of `ragedge train`. Where one names several strategies, one is chosen
// on the validation part after a quarter of the training, and trained with every seed. The
// test part has no say in it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	var r runner
	flag.StringVar(&r.data, "data", "../shared/data", "directory of the public data, for the task watch")
	flag.StringVar(&r.out, "out", "build/tasks", "directory to write to")
	flag.IntVar(&r.seeds, "seeds", 3, "how many seeds")
	flag.BoolVar(&r.smoke, "smoke", false, "short trainings, and an error where a floor is missed")
	flag.Parse()
	if err := r.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

// runner is one run of the command.
type runner struct {
	data, out string
	seeds     int
	smoke     bool
}

func (r *runner) run(names []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(names) == 0 {
		names = r.all()
	}
	var missed []string
	for _, name := range names {
		i := slices.IndexFunc(tasks, func(t task) bool { return t.name == name })
		if i < 0 {
			return fmt.Errorf("there is no task %q, only %s", name, strings.Join(r.all(), ", "))
		}
		t := tasks[i]
		directory := filepath.Join(r.out, name)
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		result, err := t.measure(ctx, r, directory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text := result.table(t.goals)
		fmt.Println(text)
		if err := os.WriteFile(filepath.Join(directory, "result.md"), []byte(text), 0o644); err != nil {
			return err
		}
		if r.smoke {
			missed = append(missed, result.belowFloor(t.goals)...)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("below the floor: %s", strings.Join(missed, "; "))
	}
	return nil
}

// all names the tasks; for a short run those that it has floors for.
func (r *runner) all() (names []string) {
	for _, t := range tasks {
		if !r.smoke || t.short {
			names = append(names, t.name)
		}
	}
	return names
}
