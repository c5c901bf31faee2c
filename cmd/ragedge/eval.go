package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/train"
	"github.com/spf13/cobra"
)

const evalHelp = `Asks a model about labelled data and says how good it is: accuracy with its 95 %
interval, every class, how sure it may be believed, and the same with each modality
and each pair of modalities missing. A regression has RMSE, MAE and Pearson's r.

DATA is an MCAP recording, CSV files that --config describes, or a table that
"ragedge features" wrote. Each file, or each group in it, is a stream of its own. Rows
without a label or target are counted and left out.`

func newEval() *cobra.Command {
	var e evaluation
	c := &cobra.Command{
		Use:   "eval MODEL DATA...",
		Short: "Say how good a model is on labelled data",
		Long:  evalHelp,
		Example: "  ragedge eval room.safetensors 'RUN-*.mcap'\n" +
			"  ragedge eval room.safetensors monday.csv --config room.toml --against empty",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("%s wants a model file and data; see %s --help", c.CommandPath(), c.CommandPath())}
			}
			e.model, e.data = args[0], args[1:]
			e.out, e.complain = c.OutOrStdout(), c.ErrOrStderr()
			return e.run(c.Context())
		},
	}
	c.Flags().StringVar(&e.config, "config", "", "task or configuration `FILE` whose [[sensor]] blocks describe the data")
	c.Flags().BoolVar(&e.json, "json", false, "print one JSON object")
	c.Flags().StringVar(&e.against, "against", "", "compare this `LABEL` with all others, too")
	c.Flags().StringVar(&e.part, "part", "", "only rows whose split column says train, validation or test")
	c.Flags().StringArrayVar(&e.groups, "group", nil, "only this `GROUP`; may be given again")
	return c
}

// evaluation is one run of the eval command.
type evaluation struct {
	model         string
	data          []string
	config        string
	against, part string
	groups        []string
	json          bool
	out, complain io.Writer
}

// evaluated is what eval prints with --json.
type evaluated struct {
	Model     string `json:"model"` // digest
	Data      string `json:"data"`
	Version   string `json:"version"`
	KernelSet string `json:"kernel_set"`
	*train.Evaluation
}

func (e *evaluation) run(ctx context.Context) error {
	model, err := fusion.Load(e.model)
	if err != nil {
		return err
	}
	set, err := e.set(ctx)
	if err != nil {
		return err
	}
	defer set.Close()
	examples, err := set.Only(e.part, e.groups)
	if err != nil {
		return err
	}
	result, err := train.Evaluate(ctx, model, set.Data, examples, e.against)
	switch {
	case errors.Is(err, context.Canceled):
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: %w", set.Name, err)
	}
	if e.json {
		encoder := json.NewEncoder(e.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(evaluated{model.Digest, set.Name, thisBuild().Version, ragedge.KernelSet(), result})
	}
	result.Print(e.out)
	return nil
}

// set reads the data as the model's features see them.
func (e *evaluation) set(ctx context.Context) (*train.Set, error) {
	config, labels := daemon.DefaultConfig(), map[string]string(nil)
	if e.config != "" {
		task := train.Task{}
		var err error
		if config, task, err = readTask(e.config); err != nil {
			return nil, err
		}
		labels = task.Labels
	}
	var err error
	config.Agent.Trigger = daemon.TriggerTick
	if config.Agent.Model, err = filepath.Abs(e.model); err != nil {
		return nil, err
	}
	return readSet(ctx, e.complain, config, e.data, labels)
}
