package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ragedge/ragedge/bench"
	"github.com/spf13/cobra"
)

const benchHelp = `Measures this machine first: how many multiply-adds each kernel set could do in a
second, and how fast it loads from L1, L2 and memory. Then kernels and models: the
least and the median time, the rate, its share of what the machine can do, and how
many times as fast as plain Go that is. Everything runs on one thread. If the CPU
throttled meanwhile, the run says so instead of a headline.

With --model only that model is measured, on the regions of --input in the format
of ragedge fuse or on random ones. A batch gives the time of one example.

The binary needs nothing else: copy it to a board and run it there. Stop what else
runs, and choose the governor "performance" for steady figures.`

func newBench() *cobra.Command {
	var o bench.Options
	var asJSON, markdown bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine, the kernels and models on it",
		Long:  benchHelp,
		Example: "  ragedge bench\n  ragedge bench --time 60s --markdown\n  ragedge bench --cpu avx2\n" +
			"  ragedge bench --model room.safetensors --input regions.safetensors --json",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case o.Time <= 0:
				return usageError{fmt.Errorf("--time %s: want more than 0, as in 10s", o.Time)}
			case o.Threads < 1:
				return usageError{fmt.Errorf("--threads %d: want 1 or more", o.Threads)}
			case asJSON && markdown:
				return usageError{fmt.Errorf("--json and --markdown exclude each other; see %s --help", c.CommandPath())}
			case o.Input != "" && o.Model == "":
				return usageError{fmt.Errorf("--input needs --model; see %s --help", c.CommandPath())}
			}
			o.Root = os.DirFS("/")
			p := progress{w: c.ErrOrStderr(), terminal: terminal(c.ErrOrStderr())}
			o.Progress = p.show
			report, err := bench.Run(c.Context(), o)
			p.clear()
			if err != nil {
				return err
			}
			switch w := c.OutOrStdout(); {
			case asJSON && o.Model != "":
				return json.NewEncoder(w).Encode(newModelBench(report))
			case asJSON:
				return json.NewEncoder(w).Encode(report)
			case markdown:
				return report.Markdown(w)
			default:
				return report.Text(w)
			}
		},
	}
	c.Flags().DurationVar(&o.Time, "time", 10*time.Second, "how long the whole run takes, about")
	c.Flags().StringVar(&o.Model, "model", "", "measure this model `FILE` only")
	c.Flags().StringVar(&o.Input, "input", "", "`FILE` with the regions for --model (default: random ones)")
	c.Flags().IntVar(&o.Threads, "threads", 1, "let models use `N` threads, and compare with one")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&markdown, "markdown", false, "print Markdown tables")
	return c
}

// modelBench is what --model --json prints. Rates are those of the minimum.
type modelBench struct {
	Model      string   `json:"model"`
	KernelSet  string   `json:"kernel_set"`
	Threads    int      `json:"threads"`
	MinUs      float64  `json:"min_us"`
	MedianUs   float64  `json:"median_us"`
	GFLOPS     float64  `json:"gflops"`
	PeakGFLOPS float64  `json:"peak_gflops"`
	Allocs     int      `json:"allocs"`
	Throttled  []string `json:"throttled,omitempty"` // why these are not the machine's figures
}

func newModelBench(r *bench.Report) modelBench {
	f := r.Models[0]
	return modelBench{
		Model: f.Name, KernelSet: r.KernelSet, Threads: r.Threads, MinUs: f.MinUs, MedianUs: f.MedianUs,
		GFLOPS: f.GFLOPS, PeakGFLOPS: r.Peak(), Allocs: f.Allocs, Throttled: r.Throttled,
	}
}

// progress says what is being measured: on a terminal in one line that goes away
// again, else in a line for every group.
type progress struct {
	w        io.Writer
	terminal bool
	group    string
}

func (p *progress) show(group, name string, done, all int) {
	switch {
	case p.terminal:
		fmt.Fprintf(p.w, "\r\x1b[K%d/%d %s", done+1, all, name)
	case group != p.group:
		fmt.Fprintf(p.w, "measuring the %s, %d of %d steps done\n", group, done, all)
	}
	p.group = group
}

func (p *progress) clear() {
	if p.terminal && p.group != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
