package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ragedge/ragedge/daemon"
	"github.com/spf13/cobra"
)

func newConfig() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Check, show and explain a configuration",
		Example: "  ragedge config check --config /etc/ragedge/ragedge.toml\n  ragedge config default > ragedge.toml",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newConfigCheck(), newConfigShow(), newConfigDefault(), newConfigSchema())
	return c
}

// configFiles are the flags that name a configuration.
type configFiles struct{ file, dropIns string }

func (f *configFiles) register(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "config", "", "configuration `FILE` (TOML)")
	c.Flags().StringVar(&f.dropIns, "config-directory", "", "`DIRECTORY` whose *.toml files are read after FILE (default: FILE with .d for .toml)")
}

// directory is where the drop-ins are.
func (f *configFiles) directory() string {
	if f.dropIns == "" {
		return daemon.DropIns(f.file)
	}
	return f.dropIns
}

func (f *configFiles) load(c *cobra.Command) (daemon.Config, error) {
	if f.file == "" {
		return daemon.Config{}, usageError{fmt.Errorf("--config is missing; see %s --help", c.CommandPath())}
	}
	return daemon.LoadConfig(f.file, f.directory())
}

// loadChecked is load for a command that has no use for a configuration with faults.
func (f *configFiles) loadChecked(c *cobra.Command) (config daemon.Config, err error) {
	if config, err = f.load(c); err == nil {
		err = config.Check()
	}
	return config, err
}

// standardConfig is where the unit has its configuration.
const standardConfig = "/etc/ragedge/ragedge.toml"

// registerStandard registers the flags for a command that talks to the daemon of
// this machine.
func (f *configFiles) registerStandard(c *cobra.Command) {
	f.register(c)
	f.file = standardConfig
	c.Flags().Lookup("config").DefValue = standardConfig
}

const configCheckHelp = `Reads a configuration as "ragedge run" would and reports everything that is wrong
with it: unknown keys with line and column, values out of range, sensors, sinks
and API addresses, and whether the model fits the features. It touches no
hardware, so it can run on another machine; a file that is not there, such as the
model or a password, is then a warning.`

func newConfigCheck() *cobra.Command {
	var files configFiles
	c := &cobra.Command{
		Use:     "check --config FILE",
		Short:   "Report what is wrong with a configuration; touches no hardware",
		Long:    configCheckHelp,
		Example: "  ragedge config check --config ragedge.toml\n  ragedge config check --config ragedge.toml --config-directory ragedge.d",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := files.loadChecked(c)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			warnings := config.Warnings()
			err = config.CheckFiles()
			if errors.Is(err, fs.ErrNotExist) {
				warnings = append(warnings, err.Error())
			} else if err != nil {
				return err
			}
			_, _, err = config.LoadModel()
			if errors.Is(err, fs.ErrNotExist) {
				warnings = append(warnings, err.Error())
			} else if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintf(out, "warning: %s\n", w)
			}
			fmt.Fprintf(out, "%s: ok, %d sensors, %d sinks\n", files.file, len(config.Sensors), len(config.Sinks))
			return nil
		},
	}
	files.register(c)
	return c
}

const configShowHelp = `Prints the configuration that is in force: FILE and its drop-ins merged, defaults
filled in, paths made absolute. The output is a configuration itself. Strings that
name environment variables are printed with the names, never with the values;
passwords are in files of their own and are never read for this.`

func newConfigShow() *cobra.Command {
	var files configFiles
	c := &cobra.Command{
		Use:     "show --config FILE",
		Short:   "Print the configuration in force, with defaults and drop-ins, without secrets",
		Long:    configShowHelp,
		Example: "  ragedge config show --config /etc/ragedge/ragedge.toml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := files.loadChecked(c)
			if err != nil {
				return err
			}
			return config.WriteTOML(c.OutOrStdout())
		},
	}
	files.register(c)
	return c
}

func newConfigDefault() *cobra.Command {
	return &cobra.Command{
		Use:     "default",
		Short:   "Print every key with its default and what it means, as commented TOML",
		Example: "  ragedge config default > ragedge.toml",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return daemon.WriteDefault(c.OutOrStdout()) },
	}
}

func newConfigSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON schema of the configuration, for editors",
		Long: "Prints a JSON schema (2020-12) that editors complete and check with, such as\n" +
			"those that use Taplo. ragedge config check knows more than it.",
		Example: "  ragedge config schema > ragedge.schema.json",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return daemon.WriteSchema(c.OutOrStdout()) },
	}
}
