// Package kernel defines what every vector kernel of ragedge computes, in plain
// Go. It is the slow definition: the oracle of every test and the fallback on
// CPUs without assembly. Programs call package ragedge instead, which computes
// the same with the best instructions of the CPU.
//
// Conventions shared by all kernels:
//
//   - float32 in, float32 out; slices of different length are cut to the
//     shortest, as each doc comment says; no kernel panics on a length.
//   - A product is written float32(a*b), so that it rounds before it is added on
//     every architecture. The definition therefore gives the same bits
//     everywhere. Assembly may fuse and reorder; it stays within the error bound
//     that the doc comment states.
//   - No kernel keeps, grows or allocates a slice.
package kernel
