//go:build !linux

package kerneltest

// Guard pages are a matter of Linux; other systems rely on its runs.
func guardPages(Impl) error { return nil }

func guardsFault(Impl) error { return nil }

func productGuards(Products) error { return nil }

func layerGuards(Layers) error { return nil }

func transposeGuards(Transpose) error { return nil }
