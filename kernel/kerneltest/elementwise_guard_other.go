//go:build !linux

package kerneltest

// Guard pages are a matter of Linux; other systems rely on its runs.
func elementwiseGuards(Elementwise) error { return nil }

func elementwiseGuardsFault(Elementwise) error { return nil }
