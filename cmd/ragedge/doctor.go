package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon/doctor"
	"github.com/spf13/cobra"
)

const doctorHelp = `Looks for what keeps the daemon or a sensor from working: devices that are off,
locked, taken or silent, the unit's limits, groups and udev rules, the clock, the
CPU, room on the disk, the brokers. Each finding says what is the case, why, and the
commands for root that mend it. It changes nothing.

While the daemon runs it opens no bus and no line: it asks the daemon instead.
Run it as root to see all there is; docs/doctor.md explains the locks.

Exit codes: 0 no problem · 1 problems · 78 the configuration cannot be used.`

func newDoctor() *cobra.Command {
	var files configFiles
	var asJSON, all bool
	c := &cobra.Command{
		Use:     "doctor",
		Short:   "Find why something does not work, and the command that mends it",
		Long:    doctorHelp,
		Example: "  ragedge doctor\n  ragedge doctor --all\n  ragedge doctor --json --config room.toml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := files.loadChecked(c)
			if err != nil {
				return err
			}
			visit := doctor.Case{Config: &config, File: files.file, Kernels: doctor.Kernels{
				Set: ragedge.KernelSet(), Sets: ragedge.KernelSets(), Fault: ragedge.SelfCheck(),
			}}
			client, err := newAPIClient(config.API)
			if err == nil {
				r := ask(c.Context(), client)
				if visit.Silence = r.silent; r.silent == nil {
					visit.Status = &r.Status
				}
			} else {
				visit.Silence = fmt.Errorf("it cannot be asked: %s", err)
			}
			found := doctor.Examine(c.Context(), doctor.Machine{}, visit)
			out := c.OutOrStdout()
			if asJSON {
				err = json.NewEncoder(out).Encode(found)
			} else {
				err = printLines(out, newPanel(out).findings(found, all))
			}
			if err != nil {
				return err
			}
			if count(found, doctor.Problem) > 0 {
				return verdict(exitFailed)
			}
			return nil
		},
	}
	files.registerStandard(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	c.Flags().BoolVar(&all, "all", false, "list what is well, too")
	return c
}

func count(found []doctor.Finding, severity doctor.Severity) (n int) {
	for _, f := range found {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

var severityColors = map[doctor.Severity]string{
	doctor.Problem: red + ";" + bold, doctor.Warning: "33;" + bold, doctor.Note: bold, doctor.OK: "32",
}

// findings draws what the doctor found; what is well is only counted unless all of
// it is wanted.
func (p *panel) findings(found []doctor.Finding, all bool) (lines []string) {
	const indent = "          "
	for _, f := range found {
		if f.Severity == doctor.OK && !all {
			continue
		}
		what := wrap(clean(f.What), p.width, indent)
		word := string(f.Severity)
		lines = append(lines, p.paint(severityColors[f.Severity], word)+strings.TrimPrefix(what[0], indent[:len(word)]))
		lines = append(lines, what[1:]...)
		lines = append(lines, wrap(clean(f.Why), p.width, indent)...)
		for _, command := range f.Fix { // whole, to be copied
			lines = append(lines, indent+p.paint(bold, "# "+clean(command)))
		}
	}
	summary := fmt.Sprintf("%d problems, %d warnings, %d notes, %d checks are well",
		count(found, doctor.Problem), count(found, doctor.Warning), count(found, doctor.Note), count(found, doctor.OK))
	return append(lines, summary)
}
