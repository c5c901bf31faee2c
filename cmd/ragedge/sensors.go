package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/spf13/cobra"
)

func newSensors() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "sensors",
		Short: "List the sensors that this build can read",
		Long: "Lists the types of [[sensor]] blocks, the drivers of each, and what every driver\n" +
			"reads, with its unit. It touches no hardware; ragedge sensors scan does.",
		Example: "  ragedge sensors\n  ragedge sensors --json\n  ragedge sensors scan",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(sensor.Catalogue())
			}
			return sensorsText(out)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	c.AddCommand(newSensorsScan(sensor.Hardware{}))
	return c
}

// units lists quantities as "lux (lx), uva (W/m²)".
func units(all []sensor.Quantity) string {
	var names []string
	for _, q := range all {
		names = append(names, fmt.Sprintf("%s (%s)", q.Name, q.Unit))
	}
	return strings.Join(names, ", ")
}

func sensorsText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i, k := range sensor.Catalogue() {
		if i > 0 {
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s: %s\n", k.Name, k.About)
		if len(k.Readings) > 0 {
			fmt.Fprintf(t, "  %s\n", units(k.Readings))
		}
		for _, d := range k.Drivers {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", d.Name, units(d.Readings), d.About)
		}
	}
	return t.Flush()
}

const scanHelp = `Finds what is connected and prints [[sensor]] blocks to paste: chips on I2C buses,
the kernel's hwmon, thermal and IIO devices, with what they read now, microphones
and cameras. What it had to leave out, and the names of free GPIO lines, go to stderr.

On I2C it reads one byte at the addresses that known chips can have, and where one
answers the register that tells which it is. It touches no other address, writes no
register, and leaves out a computer's own buses (memory modules, screens) unless
--bus names them. A chip that cannot be told apart is printed as a comment. Stop
the daemon first if it reads the same buses.`

func newSensorsScan(h sensor.Hardware) *cobra.Command {
	var buses []string
	c := &cobra.Command{
		Use:     "scan",
		Short:   "Find connected sensors and print their configuration",
		Long:    scanHelp,
		Example: "  ragedge sensors scan\n  ragedge sensors scan --bus 1 >> /etc/ragedge/ragedge.toml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s := h.Look(buses)
			for _, note := range s.Notes {
				fmt.Fprintln(c.ErrOrStderr(), note)
			}
			return printFound(c.OutOrStdout(), s.Found)
		},
	}
	c.Flags().StringSliceVar(&buses, "bus", nil, "`NUMBERS` of the I2C buses to scan, such as 1 or 1,3")
	return c
}

// printFound prints a block for each device, and as a comment what needs a choice.
func printFound(w io.Writer, found []sensor.Found) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "# nothing found")
		return err
	}
	for i, f := range found {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if f.Config.Type == sensor.I2C && f.Config.Driver == "" {
			fmt.Fprintf(w, "# address %#02x on I2C bus %s answers: %s\n", f.Config.Address, f.Config.Bus, choice(&f))
			continue
		}
		fmt.Fprintf(w, "# %s\n", f.Note)
		if err := f.Config.WriteTOML(w); err != nil {
			return err
		}
	}
	return nil
}

// choice says what a device may be and how to use it.
func choice(f *sensor.Found) string {
	if len(f.Candidates) == 0 {
		return f.Note
	}
	var block strings.Builder
	c := f.Config
	c.Driver = f.Candidates[0]
	c.WriteTOML(&block) // a strings.Builder takes everything
	text := strings.ReplaceAll(strings.TrimSpace(block.String()), "\n", "\n# ")
	return fmt.Sprintf("driver is one of %s\n# %s", strings.Join(f.Candidates, ", "), text)
}
