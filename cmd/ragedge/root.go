package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const rootHelp = `ragedge fuses features of local sensors into one explained decision, with
region-based attention gating: which answer, how sure, and which sensor said so.

Exit codes: 0 ok · 1 failed · 2 usage · 65 bad model, recording or input ·
75 try again (no sensor, or another daemon runs) · 78 configuration.`

// newRoot builds the command tree.
func newRoot() *cobra.Command {
	var cpu string
	root := &cobra.Command{
		Use:           "ragedge",
		Short:         "Sensor fusion that says why",
		Long:          rootHelp,
		Example:       "  ragedge demo\n  ragedge run --config /etc/ragedge/ragedge.toml",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			return chooseKernels(cpu)
		},
	}
	root.PersistentFlags().StringVar(&cpu, "cpu", "",
		"force a kernel set, such as generic (default: RAGEDGE_CPU, else the best this CPU has)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newDemo(), newRun(), newFuse(), newInspect(), newBench(), newConfig(), newDeploy(), newDoctor(), newEval(), newFeatures(), newLabel(), newRecord(), newReplay(), newSensors(), newStatus(), newToken(), newTrain(), newVersion())
	return root
}

// noArgs refuses arguments, and names an unknown verb as such.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return usageError{fmt.Errorf("unknown command %q; see %s --help", args[0], c.CommandPath())}
	}
	return usageError{fmt.Errorf("%s takes no arguments, got %q; see %s --help", c.CommandPath(), args[0], c.CommandPath())}
}

// oneArg wants exactly one argument, which what describes.
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s wants one argument, %s; see %s --help", c.CommandPath(), what, c.CommandPath())}
		}
		return nil
	}
}
