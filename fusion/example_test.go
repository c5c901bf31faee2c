package fusion_test

import (
	"fmt"

	"github.com/ragedge/ragedge/fusion"
)

// A room with only its light sensors: four levels in lux, the newest half minute.
func Example() {
	model, err := fusion.Load("../cmd/ragedge/room/room.safetensors")
	if err != nil {
		fmt.Println(err)
		return
	}
	state := model.NewState()
	regions := make([]fusion.Regions, len(model.Config.Modalities))
	regions[model.Config.Index("light")] = fusion.Regions{Rows: 1, Features: 4, Data: []float32{165, 254, 272, 73}}
	out, err := state.Fuse(regions)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, label := range model.Config.Head.Labels {
		fmt.Printf("%s %.2f\n", label, out.Probabilities[i])
	}
	fmt.Println(out.Share)
	// Output:
	// empty 0.00
	// 1 person 0.00
	// 2 people 0.06
	// 3 people 0.94
	// [0 0 1 0 0]
}
