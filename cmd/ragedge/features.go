package main

import (
	"fmt"
	"path/filepath"

	"github.com/ragedge/ragedge/daemon"
	"github.com/spf13/cobra"
)

const featuresHelp = `Replays recordings through the pipeline of a configuration and writes what a model
sees at every decision that has data, exactly as the daemon does, as a safetensors
file for training elsewhere:

  MODALITY         F32 [moments, regions, features], before normalisation
  MODALITY.length  I64 [moments], the rows that count; 0: absent
  label            I64 [moments], an index into the metadata "labels"; -1: none
  group            I64 [moments], an index into the metadata "groups"
  time_ns          I64 [moments], Unix time
  split            I64 [moments], an index into the metadata "splits", train,
                   validation and test; -1: none. With the key split
  target           F32 [moments], NaN: none. With the key target

DATA is an MCAP recording of this daemon, or a pattern such as 'RUN-*.mcap' in
quotes, and takes the place of the [[sensor]] blocks; files of one run that follow
each other are played as one. Or it is a CSV file, .gz or not, which is read as the
blocks of type replay say. Without DATA these blocks are played as they are.

A group is what has one text in the column that the key group names or, without that
key, one recording. No window holds anything of two groups. A recording of labels and
nothing else is left out.`

func newFeatures() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "features CONFIG [DATA...] -o FILE",
		Short: "Write what a model sees in recordings, for training elsewhere",
		Long:  featuresHelp,
		Example: "  ragedge features room.toml '/var/lib/ragedge/recordings/20260501T120000Z-*.mcap' -o room-data.safetensors\n" +
			"  ragedge features room.toml monday.csv tuesday.csv -o room-data.safetensors",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 || output == "" {
				return usageError{fmt.Errorf("a configuration and -o FILE are needed; see %s --help", c.CommandPath())}
			}
			config, err := daemon.LoadConfig(args[0], daemon.DropIns(args[0]))
			if err != nil {
				return err
			}
			files, err := expandFiles(args[1:])
			if err != nil {
				return err
			}
			table, err := daemon.FeatureTable(c.Context(), config, daemon.Environment{Version: thisBuild().Version}, files, filepath.Dir(output))
			if err != nil {
				return err
			}
			defer table.Close()
			sayEmpty(c.ErrOrStderr(), table.Empty)
			if err := table.WriteFile(c.Context(), output, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d moments, labels %s\n", output, table.Moments, table.Labels)
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "safetensors `FILE` to write")
	return c
}
