package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/result"
	"github.com/spf13/cobra"
)

const replayHelp = `Plays recordings through the pipeline again and prints every Result.

A RECORDING is an MCAP file of this daemon, or a pattern such as 'RUN-*.mcap' in
quotes. Files of one run that follow each other are played as one. What stands before
them in the same directory is read too, so that windows are as full as they were; the
output says where something is missing all the same. With --config, a CSV file takes
the place of the file in the blocks of type replay, and without a RECORDING these are
played as they are.

--expect compares instead of printing: with the Results in the recording itself or,
as in --expect=FILE, with JSON lines as a sink writes them. Everything but the wall
clock's time has to be the same: to the last bit when the kernel set is that of the
recording; with another one numbers may differ by 1e-5, in units of the largest of
their vector but at least of 1, which is twice what the golden files of the engine
allow, or by --tolerance. With another model only labels are compared.

Exit codes: 0 played, and the same · 1 different · 2 usage · 65 bad recording, model
or FILE · 78 configuration.`

// errDifferent ends a replay that was compared.
var errDifferent = errors.New("the replay is not what was expected")

// replay is one call of the verb.
type replay struct {
	files         configFiles
	model, speed  string
	expect        string
	tolerance     float64
	json          bool
	out, complain io.Writer
}

// ownResults stands for the Results in the recording itself.
const ownResults = "recording"

func newReplay() *cobra.Command {
	var r replay
	c := &cobra.Command{
		Use:   "replay RECORDING...",
		Short: "Play recordings again, and compare the Results",
		Long:  replayHelp,
		Example: "  ragedge replay 20260501T120000Z-0001.mcap --model room.safetensors\n" +
			"  ragedge replay 20260501T120000Z-*.mcap --config ragedge.toml --expect\n" +
			"  ragedge replay --config room.toml --expect=results.jsonl --json",
		RunE: func(c *cobra.Command, args []string) error {
			r.out, r.complain = c.OutOrStdout(), c.ErrOrStderr()
			return r.run(c, args)
		},
	}
	r.files.register(c)
	c.Flags().StringVar(&r.model, "model", "", "model `FILE` instead of the configuration's")
	c.Flags().StringVar(&r.speed, "speed", "max", "how many times faster than life, or max")
	c.Flags().StringVar(&r.expect, "expect", "", "compare with the Results of the recording, or of `FILE` as in --expect=FILE")
	c.Flags().Lookup("expect").NoOptDefVal = ownResults
	c.Flags().Float64Var(&r.tolerance, "tolerance", 0, "how far numbers may differ from those expected")
	c.Flags().BoolVar(&r.json, "json", false, "print JSON: Results as lines, or the comparison as one object")
	return c
}

func (r *replay) run(c *cobra.Command, recordings []string) error {
	if r.tolerance < 0 || r.tolerance > 0 && r.expect == "" {
		return usageError{fmt.Errorf("--tolerance: want a number above 0, with --expect")}
	}
	config, err := r.config(c, recordings)
	if err != nil {
		return err
	}
	for _, name := range recordings {
		if _, err := os.Stat(name); err != nil && !strings.ContainsAny(name, "*?[") {
			return fmt.Errorf("%w: %w", daemon.ErrData, err)
		}
	}
	env := daemon.Environment{Version: thisBuild().Version, KernelSet: ragedge.KernelSet()}
	if r.expect != "" {
		return r.compare(c.Context(), config, env, recordings)
	}
	env.OnResult = r.print
	lacks, err := daemon.Replay(c.Context(), config, env, recordings, r.speed)
	for _, l := range lacks {
		fmt.Fprintf(r.complain, "ragedge: %s\n", l)
	}
	return err
}

// config is the configuration to replay with.
func (r *replay) config(c *cobra.Command, recordings []string) (daemon.Config, error) {
	if r.files.file == "" && (r.model == "" || len(recordings) == 0) {
		return daemon.Config{}, usageError{fmt.Errorf("--config, or a RECORDING and --model, are needed; see %s --help", c.CommandPath())}
	}
	config := daemon.DefaultConfig()
	if r.files.file != "" {
		var err error
		if config, err = r.files.load(c); err != nil {
			return config, err
		}
	}
	if r.model != "" {
		model, err := filepath.Abs(r.model)
		if err != nil {
			return config, err
		}
		config.Agent.Model = model
	}
	return config, nil
}

// print writes a Result as a line.
func (r *replay) print(x *result.Result) {
	if r.json {
		fmt.Fprintf(r.out, "%s\n", x.AppendJSON(nil))
		return
	}
	fmt.Fprintf(r.out, "%s  %s", x.Time.Format("2006-01-02T15:04:05.000Z"), answer(x))
	for i := range x.Modalities {
		if m := &x.Modalities[i]; m.Present {
			fmt.Fprintf(r.out, "  %s %.2f", m.Name, m.Share)
		} else {
			fmt.Fprintf(r.out, "  %s -", m.Name)
		}
	}
	if x.Truth != "" {
		fmt.Fprintf(r.out, "  (recorded: %s)", x.Truth)
	}
	fmt.Fprintln(r.out)
}

// answer says in short what was decided.
func answer(x *result.Result) string {
	if x.Reason != "" {
		return "no answer: " + x.Reason
	}
	if x.Label == "" {
		return fmt.Sprintf("%.4g", x.Values)
	}
	for i, label := range x.Labels {
		if label == x.Label && i < len(x.Probabilities) {
			return fmt.Sprintf("%s %.2f", label, x.Probabilities[i])
		}
	}
	return x.Label
}

func (r *replay) compare(ctx context.Context, config daemon.Config, env daemon.Environment, recordings []string) error {
	var from io.Reader
	if r.expect != ownResults {
		file, err := os.Open(r.expect)
		if err != nil {
			return fmt.Errorf("%w: --expect: %w", daemon.ErrData, err)
		}
		defer file.Close()
		from = file
	}
	c, err := daemon.Reproduce(ctx, config, env, recordings, r.speed, from, r.tolerance)
	if err != nil {
		return err
	}
	if r.json {
		err = json.NewEncoder(r.out).Encode(struct {
			OK bool `json:"ok"`
			*daemon.Comparison
		}{c.OK(), c})
	} else {
		err = report(r.out, c)
	}
	if err == nil && !c.OK() {
		err = errDifferent
	}
	return err
}

// report writes a comparison in words.
func report(w io.Writer, c *daemon.Comparison) error {
	how := fmt.Sprintf("%d bit for bit", c.Exact)
	if near := c.Compared - c.Exact - c.Models; near > 0 {
		how += fmt.Sprintf(", %d within a tolerance", near)
	}
	if c.Models > 0 {
		how += fmt.Sprintf(", %d by their labels, of another model", c.Models)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d Results compared (%s), %d are the same", c.Compared, c.Expected, how, c.Same)
	if c.Models > 0 && c.Compared > 0 {
		fmt.Fprintf(&b, " (%.1f %%)", 100*float64(c.Same)/float64(c.Compared))
	}
	if c.Extra > 0 {
		fmt.Fprintf(&b, ", %d more in the replay", c.Extra)
	}
	b.WriteByte('\n')
	if d := c.First; d != nil {
		key := d.Key
		if d.Modality != "" {
			key = "modality " + d.Modality + ": " + key
		}
		fmt.Fprintf(&b, "first difference: Result %d at %v: %s: expected %s, got %s\n", d.Seq, d.Mono, key, orNone(d.Want), orNone(d.Got))
	}
	for _, l := range c.Lacks {
		fmt.Fprintf(&b, "not everything is there: %s\n", l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
