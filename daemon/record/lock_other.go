//go:build !linux

package record

import "os"

// lock does nothing where the daemon is only developed.
func lock(*os.File) error { return nil }

func removed(os.FileInfo) bool { return false }
