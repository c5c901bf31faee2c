package main

import (
	"fmt"
	"io"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/spf13/cobra"
)

const fuseHelp = `Runs a model once on region features from a file.

The input is a safetensors file with one F32 tensor per modality, [regions,
features], or [batch, regions, features] with an optional I64 tensor
"MODALITY.length" that says how many rows of each example are valid. A modality
left out is absent. The output has z, logits, probabilities, attention, region
and share; without --output it is printed as JSON.`

func newFuse() *cobra.Command {
	var model, input, output string
	c := &cobra.Command{
		Use:   "fuse --model FILE --input FILE",
		Short: "Run a model once on region features from a file",
		Long:  fuseHelp,
		Example: "  ragedge fuse --model room.safetensors --input regions.safetensors\n" +
			"  ragedge fuse --model room.safetensors --input regions.safetensors --output fused.safetensors",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if model == "" || input == "" {
				return usageError{fmt.Errorf("--model and --input are both needed; see %s --help", c.CommandPath())}
			}
			result, err := fuse(model, input)
			if err != nil {
				return err
			}
			if output != "" {
				return result.WriteFile(output, 0o644)
			}
			return printTensors(c.OutOrStdout(), result)
		},
	}
	c.Flags().StringVar(&model, "model", "", "model `FILE`")
	c.Flags().StringVar(&input, "input", "", "`FILE` with the regions")
	c.Flags().StringVar(&output, "output", "", "write a safetensors `FILE` instead of JSON to stdout")
	return c
}

func fuse(modelPath, inputPath string) (*safetensors.File, error) {
	model, err := fusion.Load(modelPath)
	if err != nil {
		return nil, err
	}
	input, err := safetensors.ReadFile(inputPath)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	result, err := model.NewState().FuseFile(input)
	if err != nil {
		return nil, fmt.Errorf("input %s: %w", inputPath, err)
	}
	return result, nil
}

// printTensors writes one JSON object: every tensor by name, as nested arrays.
func printTensors(w io.Writer, f *safetensors.File) error {
	text, err := api.AppendTensors(nil, f)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}
