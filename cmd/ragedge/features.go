package main

import (
	"fmt"

	"github.com/ragedge/ragedge/daemon"
	"github.com/spf13/cobra"
)

const featuresHelp = `Replays recordings through the pipeline of a configuration and writes what a model
sees at every decision that has data, exactly as the daemon does, as a safetensors
file for training elsewhere:

  MODALITY         F32 [moments, regions, features], before normalisation
  MODALITY.length  I64 [moments], the rows that count; 0: absent
  label            I64 [moments], an index into the metadata "labels"; -1: none
  group            I64 [moments], which DATA it is from, from 0
  time_ns          I64 [moments], Unix time

DATA is an MCAP recording of this daemon, or a pattern such as 'RUN-*.mcap' in
quotes, and takes the place of the [[sensor]] blocks; or a CSV file, which is read
as the blocks of type replay say. Without DATA these blocks are played as they are.`

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
			file, err := daemon.FeatureTable(c.Context(), config, daemon.Environment{Version: thisBuild().Version}, args[1:])
			if err != nil {
				return err
			}
			if err := file.WriteFile(output, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d moments, labels %s\n", output, file.Tensor("label").Shape[0], file.Metadata["labels"])
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "safetensors `FILE` to write")
	return c
}
