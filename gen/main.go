// Command gen writes the amd64 kernels of package ragedge, a family of them per
// file.
//
// It is a module of its own, so that nothing else depends on avo. Registers are
// chosen here and not by avo, because the comments above the loops name them.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

//go:generate go run . -family kernel -out ../kernel_amd64.s
//go:generate go run . -family kernelAVX512 -out ../kernel_avx512_amd64.s
//go:generate go run . -family elementwise -out ../elementwise_amd64.s
//go:generate go run . -family elementwiseAVX512 -out ../elementwise_avx512_amd64.s
//go:generate go run . -family matmul -out ../matmul_amd64.s
//go:generate go run . -family matmulAVX512 -out ../matmul_avx512_amd64.s
//go:generate go run . -family probe -out ../probe_amd64.s
//go:generate go run . -family transpose -out ../transpose_amd64.s

// families are the files that gen writes.
var families = map[string]func(){
	"elementwise":       elementwise,
	"elementwiseAVX512": elementwiseAVX512,
	"kernel":            kernels,
	"kernelAVX512":      kernelsAVX512,
	"matmul":            matMul,
	"matmulAVX512":      matMulAVX512,
	"probe":             probes,
	"transpose":         transpose,
}

func main() {
	name := flag.String("family", "", "which kernels to write")
	flag.Parse()
	write := families[*name]
	if write == nil {
		log.Fatalf("-family %q: no such family", *name)
	}
	ConstraintExpr("!purego")
	write()
	Generate()
}

// kernels are the three loops of the gate.
func kernels() {
	dot()
	maximum()
	expSum()
	scale()
	softmax()
	gatedSum()
}
