// Command gen writes the AVX2 and FMA kernels of package ragedge.
//
// It is a module of its own, so that nothing else depends on avo. Registers are
// chosen here and not by avo, because the comments above the loops name them.
package main

import . "github.com/mmcloughlin/avo/build"

//go:generate go run . -out ../kernel_amd64.s

func main() {
	ConstraintExpr("!purego")
	dot()
	maximum()
	expSum()
	scale()
	gatedSum()
	Generate()
}
