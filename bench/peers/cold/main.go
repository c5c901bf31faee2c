// Cold is the smallest program that fuses: it loads a model, runs it once on the
// input beside it and prints the logits, as JSON. It then waits for its standard
// input to end, so that its memory can be read.
//
//	cold FOLDER WORKLOAD
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/ragedge/ragedge/fusion"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cold FOLDER WORKLOAD")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cold:", err)
		os.Exit(1)
	}
	io.Copy(io.Discard, os.Stdin) // whatever ends it
}

func run(folder, workload string, w io.Writer) error {
	model, err := fusion.Load(folder + "/" + workload + ".safetensors")
	if err != nil {
		return err
	}
	regions := make([]fusion.Regions, len(model.Config.Modalities))
	for i, m := range model.Config.Modalities {
		path := fmt.Sprintf("%s/%s.%d.f32", folder, workload, i)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if want := 4 * m.Regions * m.Features; len(data) != want {
			return fmt.Errorf("%s: %d bytes, want %d", path, len(data), want)
		}
		values := make([]float32, len(data)/4)
		for j := range values {
			values[j] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*j:]))
		}
		regions[i] = fusion.Regions{Rows: m.Regions, Features: m.Features, Data: values}
	}
	out, err := model.NewState().Fuse(regions)
	if err != nil {
		return fmt.Errorf("%s: %w", workload, err)
	}
	return json.NewEncoder(w).Encode(out.Logits)
}
