package main

import (
	"context"
	"errors"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/ragedge/ragedge/train"
)

// Exit codes of the process, after sysexits(3) where it has one.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitData     = 65 // a model, recording or input that cannot be used
	exitTryAgain = 75 // no sensor answers, or another daemon has the socket
	exitConfig   = 78

	exitInterrupted = 130 // by Ctrl-C or SIGTERM, before the work was done
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// isInterruption says whether err means that a command was broken off, and nothing else:
// who broke it off need not be told. An error with words around that has more to say.
func isInterruption(err error) bool {
	return errors.Is(err, context.Canceled) && err.Error() == context.Canceled.Error()
}

// exitCode maps what a command returned to the exit code of the process.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if isInterruption(err) {
		return exitInterrupted
	}
	if v, ok := errors.AsType[verdict](err); ok {
		return int(v)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	switch {
	case errors.Is(err, daemon.ErrTryAgain):
		return exitTryAgain
	case errors.Is(err, daemon.ErrData), errors.Is(err, safetensors.ErrFormat),
		errors.Is(err, fusion.ErrModel), errors.Is(err, fusion.ErrInput), errors.Is(err, train.ErrData):
		return exitData
	case errors.Is(err, daemon.ErrConfig), errors.Is(err, train.ErrTask), errors.Is(err, train.ErrOption):
		return exitConfig
	}
	return exitFailed
}
