package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/spf13/cobra"
)

// inspection is what inspect says of a model file.
type inspection struct {
	File       string          `json:"file"`
	Digest     string          `json:"digest"`
	Config     fusion.Config   `json:"config"`
	Features   json.RawMessage `json:"features,omitempty"`
	Card       json.RawMessage `json:"card,omitempty"`
	Tensors    []tensorInfo    `json:"tensors"`
	Weights    int             `json:"weights"`
	StateBytes int             `json:"state_bytes"`
}

type tensorInfo struct {
	Name  string            `json:"name"`
	DType safetensors.DType `json:"dtype"`
	Shape []int             `json:"shape"`
}

func newInspect() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "Show what a model file holds",
		Long:    "Checks a model file as loading it would, and shows its modalities, mechanism,\nfeatures, tensors and memory.",
		Example: "  ragedge inspect room.safetensors\n  ragedge inspect room.safetensors --json",
		Args:    oneArg("the model file"),
		RunE: func(c *cobra.Command, args []string) error {
			in, err := inspect(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(in)
			}
			return in.print(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func inspect(path string) (*inspection, error) {
	data, err := safetensors.ReadBytes(path)
	if err != nil {
		return nil, err
	}
	model, err := fusion.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, err := safetensors.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	in := &inspection{
		File: path, Digest: model.Digest, Config: model.Config,
		Features: raw(model.Features), Card: raw(model.Card),
		StateBytes: model.NewState().Bytes(),
	}
	for _, t := range file.Tensors {
		in.Tensors = append(in.Tensors, tensorInfo{t.Name, t.DType, t.Shape})
		if !strings.HasPrefix(t.Name, "input.") {
			in.Weights += elements(t.Shape)
		}
	}
	return in, nil
}

// raw passes JSON through as it stands; text that is no JSON, which loading a
// model does not look at, is shown as a string.
func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text)
	return quoted
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// dimensions writes a shape as in 32×4.
func dimensions(shape []int) string {
	all := make([]string, len(shape))
	for i, d := range shape {
		all[i] = strconv.Itoa(d)
	}
	return strings.Join(all, "×")
}

func (in *inspection) print(w io.Writer) error {
	c := in.Config
	fmt.Fprintf(w, "%s\n%s\n\n", in.File, in.Digest)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "name\t%s\n", c.Name)
	for i, m := range c.Modalities {
		label := ""
		if i == 0 {
			label = "modalities"
		}
		fmt.Fprintf(t, "%s\t%s: up to %d regions of %d features\n", label, m.Name, m.Regions, m.Features)
	}
	fmt.Fprintf(t, "width\t%d\n", c.Width)
	fmt.Fprintf(t, "strategy\t%s\n", in.strategy())
	fmt.Fprintf(t, "align\t%s\n", in.align())
	fmt.Fprintf(t, "gate\t%s, %d, pool %s\n", c.Gate, c.Gates, c.Pool)
	fmt.Fprintf(t, "head\t%s\n", in.head())
	fmt.Fprintf(t, "weights\t%d\n", in.Weights)
	fmt.Fprintf(t, "state\t%d bytes per inference running at a time\n", in.StateBytes)
	if in.Features != nil {
		fmt.Fprintf(t, "features\t%s\n", in.Features)
	}
	if in.Card != nil {
		fmt.Fprintf(t, "card\t%s\n", in.Card)
	}
	fmt.Fprintf(t, "\ntensor\tdtype\tshape\n")
	for _, tensor := range in.Tensors {
		fmt.Fprintf(t, "%s\t%s\t%s\n", tensor.Name, tensor.DType, dimensions(tensor.Shape))
	}
	return t.Flush()
}

func (in *inspection) strategy() string {
	if in.Config.Layers == 0 {
		return in.Config.Strategy
	}
	return fmt.Sprintf("%s, %d layers of %d heads", in.Config.Strategy, in.Config.Layers, in.Config.Heads)
}

func (in *inspection) align() string {
	switch c := in.Config; c.Align {
	case "anchor":
		return "anchor " + c.Anchor
	case "resample", "slots":
		return fmt.Sprintf("%s, %d", c.Align, c.Slots)
	}
	return in.Config.Align
}

func (in *inspection) head() string {
	h := in.Config.Head
	s := h.Task
	if h.Outputs > 0 {
		s += fmt.Sprintf(", %d outputs", h.Outputs)
	}
	if h.Hidden > 0 {
		s += fmt.Sprintf(", %d hidden", h.Hidden)
	}
	if len(h.Labels) > 0 {
		s += ": " + strings.Join(h.Labels, ", ")
	}
	return s
}
