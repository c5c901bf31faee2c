package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ragedge/ragedge"
	"github.com/spf13/cobra"
)

// build says what this binary is.
type build struct {
	Version    string   `json:"version"`
	Revision   string   `json:"revision,omitempty"`
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	KernelSet  string   `json:"kernel_set"`
	KernelSets []string `json:"kernel_sets"`
}

func thisBuild() build {
	b := build{
		Version:    "development",
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		KernelSet:  ragedge.KernelSet(),
		KernelSets: ragedge.KernelSets(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "GOARM":
			b.Platform += " v" + s.Value
		}
	}
	return b
}

func newVersion() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "What this binary is and which kernels it runs",
		Example: "  ragedge version\n  ragedge version --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b := thisBuild()
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(b)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "ragedge %s\n%s\n%s\nkernels %s (this CPU can run: %s)\n",
				strings.TrimSpace(b.Version+" "+b.Revision), b.Go, b.Platform,
				b.KernelSet, strings.Join(b.KernelSets, ", "))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
