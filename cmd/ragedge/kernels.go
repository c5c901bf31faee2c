package main

import (
	"log/slog"
	"os"

	"github.com/ragedge/ragedge"
)

// chooseKernels forces the kernel set that the flag or the environment names.
func chooseKernels(set string) error {
	if set == "" {
		set = os.Getenv("RAGEDGE_CPU")
	}
	if set == "" {
		return nil
	}
	if err := ragedge.Use(set); err != nil {
		return usageError{err}
	}
	return nil
}

// proveKernels compares the kernels in use with plain Go, and steps down to plain
// Go when they disagree: a wrong answer costs more than a slow one. fault says
// why it did.
func proveKernels(log *slog.Logger) (set, fault string, err error) {
	if wrong := ragedge.SelfCheck(); wrong != nil {
		log.Error("kernels disagree with plain Go, which runs instead", "set", ragedge.KernelSet(), "error", wrong)
		fault = wrong.Error()
		err = ragedge.Use("generic")
	}
	return ragedge.KernelSet(), fault, err
}
