// Package train fits models of package fusion to data: the exact gradients of the
// mechanism, an optimiser, and the loop around them.
//
//	data, err := train.Open("room-data.safetensors") // from `ragedge features`
//	options := train.DefaultOptions()
//	options.Train, options.Validation = …            // examples by number
//	result, err := train.Fit(ctx, config, data, options)
//	file, err := result.Parameters.Bytes()           // the model file
//
// A [Data] is examples; [Parameters] are the weights of a model as one slice, beside a
// slice of gradients with the same layout. A pass (pass.go) computes some examples
// forward and backward on one thread; every equation E0 to E7 has a file of its own, with
// both directions in it. A crew (crew.go) lets threads take shards of a batch, and adds
// up their gradients in a fixed order; fit.go is the loop.
//
// What forward computes is what [fusion.State] computes, within rounding: products come
// in another order, because weights change with every step and rows of many examples lie
// together. Names in comments are those of package fusion.
package train
