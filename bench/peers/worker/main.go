// Worker runs ragedge on the workloads of a folder that export.py has written:
//
//	worker [-cpu SET] FOLDER
//
// It answers as package protocol does. It has one workload more, fma: the
// multiply-adds that the kernel set could do.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/bench/peers/protocol"
)

func main() {
	cpu := flag.String("cpu", ragedge.KernelSet(), "kernel set")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: worker [-cpu SET] FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*cpu, flag.Arg(0), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(cpu, folder string, in io.Reader, out io.Writer) error {
	if err := ragedge.Use(cpu); err != nil {
		return err
	}
	return protocol.Serve(in, out, func(name string) (*protocol.Workload, error) { return load(folder, name) })
}
